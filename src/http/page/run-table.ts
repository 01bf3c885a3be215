import type { RunRecord, RunsPage, Status } from '../../status/model.js';
import type { Address } from './address.js';
import { ask, Refusal } from './ask.js';
import type { Clock } from './clock.js';
import { byId, create, setText } from './dom.js';
import { createRunRows } from './run-rows.js';
import { isOutcome, outcomeWords } from './words.js';

const isPhone = matchMedia('(max-width: 43.75em)').matches;
const firstRuns = isPhone ? 8 : 15;
const moreRuns = 25;
/** What the API returns at most. */
const mostRuns = 500;

/** The recorded runs, with filters. */
export class RunTable {
  readonly #clock: Clock;
  readonly #address: Address;
  readonly #box = byId('run-rows');
  readonly #job = byId('filter-job') as HTMLSelectElement;
  readonly #outcome = byId('filter-outcome') as HTMLSelectElement;
  readonly #sumUp = byId('sum-up') as HTMLInputElement;
  readonly #opened = new Set<string>();
  #titles: Readonly<Record<string, string>> = {};
  #limit = firstRuns;
  #requests = 0;
  #shown: RunsPage | undefined;

  constructor(clock: Clock, address: Address) {
    this.#clock = clock;
    this.#address = address;
    fill(this.#outcome, 'All outcomes', Object.entries(outcomeWords));
    for (const filter of [this.#job, this.#outcome]) {
      filter.addEventListener('change', () => {
        this.#filter(this.#job.value, this.#outcome.value);
      });
    }
    this.#sumUp.addEventListener('change', () => {
      this.#opened.clear();
      this.draw();
    });
  }

  /** Sets the names of the jobs, once they are known. */
  setJobs({ jobs }: Status): void {
    if (this.#job.options.length > 0) return;
    this.#titles = Object.fromEntries(jobs.map(({ job, title }) => [job, title]));
    fill(this.#job, 'All jobs', Object.entries(this.#titles));
    const { job, outcome } = this.#address.chosen;
    this.#job.value = Object.hasOwn(this.#titles, job) ? job : '';
    this.#outcome.value = isOutcome(outcome) ? outcome : '';
  }

  /** Shows what is new. */
  async refresh(): Promise<void> {
    const request = ++this.#requests;
    const filters = this.#query();
    byId('runs-csv').setAttribute('href', `api/csv/runs.csv?${filters.toString()}`);
    filters.set('limit', String(this.#limit));
    try {
      const runs = await ask<RunsPage>(`api/runs?${filters.toString()}`);
      // A later request overtakes this one.
      if (request !== this.#requests) return;
      this.#shown = runs;
      this.draw();
    } catch (error) {
      if (request === this.#requests && error instanceof Refusal) {
        setText(byId('runs-note'), `The runs cannot be read: ${error.message}.`);
      }
    }
  }

  draw(): void {
    if (this.#shown === undefined) return;
    const { isRecorded, runs, olderThan } = this.#shown;
    setText(byId('runs-note'), this.#describe(isRecorded, runs, olderThan !== null));
    if (!isRecorded || runs.length === 0) {
      this.#box.replaceChildren(this.#createEmpty(isRecorded));
      return;
    }
    const rows = createRunRows(runs, {
      clock: this.#clock,
      titles: this.#titles,
      isSummedUp: this.#sumUp.checked && this.#outcome.value === '',
      opened: this.#opened,
      onOpen: (id) => {
        this.#opened.add(id);
        this.draw();
      },
    });
    this.#box.replaceChildren(rows, ...this.#createFoot(olderThan !== null));
  }

  #query(): URLSearchParams {
    const query = new URLSearchParams();
    if (this.#job.value !== '') query.set('job', this.#job.value);
    if (this.#outcome.value !== '') query.set('outcome', this.#outcome.value);
    return query;
  }

  #filter(job: string, outcome: string): void {
    this.#job.value = job;
    this.#outcome.value = outcome;
    this.#limit = firstRuns;
    this.#address.choose({ job, outcome });
    void this.refresh();
  }

  #describe(isRecorded: boolean, runs: readonly RunRecord[], areOlder: boolean): string {
    if (!isRecorded || runs.length === 0) return '';
    const kept = 'A check that finds no change leaves no run. Kept for 90 days.';
    const isFiltered = this.#query().size > 0;
    if (!areOlder) return `All ${runs.length}${isFiltered ? ' matching' : ''} on record. ${kept}`;
    return `The newest ${runs.length}${isFiltered ? ' matching' : ''}. ${kept}`;
  }

  #createEmpty(isRecorded: boolean): HTMLElement {
    if (!isRecorded) {
      const command = create('code', {}, 'registry-stats migrate');
      const text = 'This database keeps no record of runs: it is in the legacy state. ';
      return create('p', { class: 'empty' }, text, command, ' changes that.');
    }
    if (this.#query().size === 0) {
      const text = 'No run on record yet. The first run starts with the daemon.';
      return create('p', { class: 'empty' }, text);
    }
    const button = create('button', { type: 'button', class: 'button' }, 'Show all runs');
    button.addEventListener('click', () => {
      this.#filter('', '');
      this.#job.focus();
    });
    return create('p', { class: 'empty' }, 'No run matches. ', button);
  }

  #createFoot(areOlder: boolean): HTMLElement[] {
    if (!areOlder) return [];
    if (this.#limit >= mostRuns) {
      const text = `The page shows ${mostRuns} runs. The CSV has up to 10,000.`;
      return [create('div', { class: 'foot' }, text)];
    }
    const older = create(
      'button',
      { type: 'button', class: 'button quiet', id: 'older' },
      'Older runs',
    );
    older.addEventListener('click', () => {
      this.#limit = Math.min(mostRuns, this.#limit + moreRuns);
      void this.refresh().then(() => document.getElementById('older')?.focus());
    });
    return [create('div', { class: 'foot' }, older)];
  }
}

function fill(
  select: HTMLSelectElement,
  all: string,
  options: readonly (readonly [string, string])[],
): void {
  select.append(
    create('option', { value: '' }, all),
    ...options.map(([value, name]) => create('option', { value }, name)),
  );
}
