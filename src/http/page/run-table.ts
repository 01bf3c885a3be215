import type { RunRecord, RunsPage } from '../../status/model.js';
import { ask, Refusal } from './ask.js';
import { createAge, type Clock } from './clock.js';
import { byId, create, setText } from './dom.js';
import { formatDuration, formatNumber, formatTime } from './format.js';
import { createTable } from './table.js';

const pageSize = 50;

const columns = [
  { name: 'Started' },
  { name: 'Outcome' },
  { name: 'Job' },
  { name: 'Trigger' },
  { name: 'Took', isNumber: true },
  { name: 'Changes', isNumber: true },
  { name: 'What and why' },
];

/** The recorded runs, with filters and paging. */
export class RunTable {
  readonly #clock: Clock;
  readonly #body = byId('run-rows');
  readonly #job = byId('filter-job') as HTMLSelectElement;
  readonly #outcome = byId('filter-outcome') as HTMLSelectElement;
  readonly #newest = byId('newest') as HTMLButtonElement;
  readonly #older = byId('older') as HTMLButtonElement;
  readonly #range = byId('run-range');
  #before: string | null = null;
  #olderThan: string | null = null;
  #requests = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    for (const filter of [this.#job, this.#outcome]) {
      filter.addEventListener('change', () => {
        this.#goTo(null);
      });
    }
    this.#newest.addEventListener('click', () => {
      // A button that becomes disabled would lose the keyboard's place.
      this.#older.focus();
      this.#goTo(null);
    });
    this.#older.addEventListener('click', () => {
      this.#goTo(this.#olderThan);
    });
  }

  /** Shows what is new, on whichever page is shown. */
  async refresh(): Promise<void> {
    const request = ++this.#requests;
    try {
      const runs = await ask<RunsPage>(`api/runs?${this.#query()}`);
      // A later request overtakes this one.
      if (request === this.#requests) this.#show(runs);
    } catch (error) {
      if (request === this.#requests && error instanceof Refusal) {
        setText(this.#range, `The runs cannot be read: ${error.message}.`);
      }
    }
  }

  #query(): string {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (this.#job.value !== '') query.set('job', this.#job.value);
    if (this.#outcome.value !== '') query.set('outcome', this.#outcome.value);
    if (this.#before !== null) query.set('before', this.#before);
    return query.toString();
  }

  #show(runs: RunsPage): void {
    this.#olderThan = runs.olderThan;
    this.#older.disabled = runs.olderThan === null;
    this.#newest.disabled = this.#before === null;
    this.#body.replaceChildren(createRows(runs, this.#clock.now()));
    const isFiltered = this.#job.value !== '' || this.#outcome.value !== '';
    setText(this.#range, describeRange(runs, this.#before !== null, isFiltered));
  }

  #goTo(id: string | null): void {
    this.#before = id;
    void this.refresh();
  }
}

function createRows({ isRecorded, runs }: RunsPage, now: Date): HTMLElement {
  if (!isRecorded) {
    return create(
      'p',
      { class: 'empty' },
      'This database keeps no record of runs: it is in the state of migration 001. ',
      create('code', {}, 'registry-stats migrate'),
      ' brings it up to date.',
    );
  }
  if (runs.length === 0) return create('p', { class: 'empty' }, 'No such run on record.');
  return createTable(
    'Runs on record, newest first',
    columns,
    runs.map((run) => createRow(run, now)),
  );
}

function createRow(run: RunRecord, now: Date): (HTMLElement | string)[] {
  const { startedAt, durationMs, outcome, reason, viewsRefreshed } = run;
  const started = create('time', { datetime: startedAt }, formatTime(startedAt, now, true));
  const badge = create('span', { class: 'badge', 'data-state': outcome ?? 'running' });
  badge.append(outcome ?? 'running');
  return [
    started,
    badge,
    run.job,
    run.trigger,
    durationMs === null ? createAge(startedAt, now) : formatDuration(durationMs),
    run.changes === null ? '' : formatNumber(run.changes),
    [reason, viewsRefreshed.join(', ')].filter((text) => text !== null && text !== '').join('; '),
  ];
}

function describeRange(
  { isRecorded, runs, olderThan }: RunsPage,
  isPaged: boolean,
  isFiltered: boolean,
): string {
  if (!isRecorded || runs.length === 0) return '';
  const kind = isFiltered ? 'matching runs' : 'runs';
  if (!isPaged && olderThan === null) return `All ${runs.length} ${kind} on record.`;
  const place = isPaged ? 'older' : 'newest';
  return olderThan === null
    ? `The oldest ${runs.length} ${kind} on record.`
    : `${runs.length} ${place} ${kind}; there are older ones.`;
}
