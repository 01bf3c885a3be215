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

/** The runs on record, with filters and paging. `refresh` shows what is new, on whatever page. */
export function createRunTable(clock: Clock): { refresh(): Promise<void> } {
  const body = byId('run-rows');
  const job = byId('filter-job') as HTMLSelectElement;
  const outcome = byId('filter-outcome') as HTMLSelectElement;
  const newest = byId('newest') as HTMLButtonElement;
  const older = byId('older') as HTMLButtonElement;
  const range = byId('run-range');
  let before: string | null = null;
  let olderThan: string | null = null;
  let asked = 0;

  async function refresh(): Promise<void> {
    const question = ++asked;
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (job.value !== '') query.set('job', job.value);
    if (outcome.value !== '') query.set('outcome', outcome.value);
    if (before !== null) query.set('before', before);
    try {
      const answer = await ask<RunsPage>(`api/runs?${query.toString()}`);
      // A later question was asked meanwhile: its answer is the one to show.
      if (question === asked) show(answer);
    } catch (error) {
      if (question === asked && error instanceof Refusal) {
        setText(range, `The runs cannot be read: ${error.message}.`);
      }
    }
  }

  function show(answer: RunsPage): void {
    olderThan = answer.olderThan;
    older.disabled = olderThan === null;
    newest.disabled = before === null;
    body.replaceChildren(createRows(answer, clock.now()));
    const isFiltered = job.value !== '' || outcome.value !== '';
    setText(range, describeRange(answer, before !== null, isFiltered));
  }

  function goTo(id: string | null): void {
    before = id;
    void refresh();
  }
  for (const filter of [job, outcome]) {
    filter.addEventListener('change', () => {
      goTo(null);
    });
  }
  newest.addEventListener('click', () => {
    // A button that becomes disabled would lose the keyboard's place.
    older.focus();
    goTo(null);
  });
  older.addEventListener('click', () => {
    goTo(olderThan);
  });
  return { refresh };
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
    run.rowsFolded === null ? '' : formatNumber(run.rowsFolded),
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
