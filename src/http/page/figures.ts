import type { Figures } from '../../status/figures-model.js';
import type { Status } from '../../status/model.js';
import type { Address } from './address.js';
import { ask, Refusal } from './ask.js';
import { createMoment, type Clock } from './clock.js';
import { showCounts } from './counts.js';
import { byId, create, setText, type Child } from './dom.js';
import { History } from './history.js';
import { Institutions } from './institutions.js';
import { showKeyFigures } from './key-figures.js';
import { StorageOptions } from './storage-options.js';
import { unitOf } from './unit.js';
import { isDatabaseAway } from './words.js';

/** The sections with figures. All of them show sizes in one unit, that of the total. */
export class FigureSections {
  readonly #clock: Clock;
  readonly #history: History;
  readonly #institutions: Institutions;
  readonly #options: StorageOptions;
  #shown: Figures | undefined;

  constructor(clock: Clock, address: Address) {
    this.#clock = clock;
    this.#history = new History(address);
    this.#institutions = new Institutions(address);
    this.#options = new StorageOptions(address);
    for (const [event, isPrinting] of [
      ['beforeprint', true],
      ['afterprint', false],
    ] as const) {
      addEventListener(event, () => {
        for (const section of [this.#history, this.#institutions, this.#options]) {
          section.setPrinting(isPrinting);
        }
      });
    }
  }

  /** Reads the figures again. While that fails, the last ones stay. */
  async refresh(): Promise<void> {
    const problem = byId('figures-problem');
    try {
      this.#shown = await ask<Figures>('api/statistics');
      setText(problem, '');
      this.draw();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setText(problem, `The statistics cannot be read: ${error.message}. ${error.hint ?? ''}`);
    }
  }

  draw(): void {
    if (this.#shown === undefined) return;
    const figures = this.#shown;
    const unit = unitOf(figures.deposits.total?.bytes ?? 0);
    showKeyFigures(figures, unit);
    this.#history.show(figures, unit, this.#clock.now());
    this.#institutions.show(figures, unit);
    this.#options.show(figures, unit);
    showCounts(figures);
  }

  /** Says in the headings how old the figures are. */
  showAge(status: Status, isLost: boolean): void {
    const isOld = isLost || isDatabaseAway(status) || status.isMaintenance;
    const deposits = this.#describeAge(status, 'update_current_deposit_stats', isOld);
    const bars = '. Bars show the change by month; the dark bar is this month so far.';
    byId('deposits-note').replaceChildren(create('span', {}, ...deposits, bars));
    const counts = this.#describeAge(status, 'update_counts', isOld);
    byId('counts-note').replaceChildren(create('span', {}, ...counts));
  }

  #describeAge(status: Status, name: string, isOld: boolean): Child[] {
    const job = status.jobs.find((one) => one.job === name);
    const iso = job?.dataAsOf ?? job?.lastRefresh ?? null;
    if (job === undefined || iso === null) return ['Time not known'];
    const moment = createMoment(iso, this.#clock);
    if (isOld) return [create('b', { class: 'state wait' }, 'Last known, as of ', moment)];
    if (job.state === 'failing' || job.state === 'held back') {
      return [create('b', { class: 'state bad' }, 'Not updated since ', moment)];
    }
    return ['As of ', moment];
  }
}
