import type { JobStatus, RunsPage, Status } from '../../status/model.js';
import { createAge, createTime, type Clock } from './clock.js';
import { byId, create, setText, type Child } from './dom.js';
import { formatAge, formatNumber, formatSpan } from './format.js';
import { createGlyph, createLevelIcon } from './glyphs.js';
import { localize } from './localize.js';
import { createStrip, stripRuns, type Strip } from './strip.js';
import {
  describeState,
  isDatabaseAway,
  outcomeWords,
  type RunOutcome,
  type StateWords,
} from './words.js';

interface Row {
  readonly show: (job: JobStatus, status: Status) => void;
  readonly strip: Strip;
}

const columns = [
  ['Job', '', ''],
  ['State', '', ''],
  [`Last ${stripRuns} runs on record`, 'c-strip', ''],
  ['Checked', '', 'The last time we looked for changes'],
  ['Refreshed', '', 'The last time the figures changed'],
  ['Data as of', '', 'The figures include everything committed before this time'],
  ['Changes waiting', 'number c-wait', 'Changes that are not in the figures yet'],
] as const;

const shapes: readonly RunOutcome[] = ['refreshed', 'skipped', 'failed', 'crashed', 'cancelled'];

/** The jobs: state, last runs, and the three times. Strips stay while texts change. */
export class JobRows {
  readonly #clock: Clock;
  readonly #rows = new Map<string, Row>();
  #table: HTMLElement | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    byId('shapes').append(
      ...shapes.map((outcome) => create('li', {}, createGlyph(outcome), outcomeWords[outcome])),
    );
  }

  show(status: Status): void {
    this.#table ??= createJobTable();
    for (const job of status.jobs) {
      const row = this.#rows.get(job.job) ?? this.#add(job, this.#table);
      row.show(job, status);
    }
    setText(byId('updates-note'), describeSchedule(status, this.#clock.now()));
  }

  showRuns(job: string, { runs }: RunsPage): void {
    this.#rows.get(job)?.strip.show(runs, this.#clock);
  }

  #add(job: JobStatus, table: HTMLElement): Row {
    const row = createRow(job, table, this.#clock);
    this.#rows.set(job.job, row);
    return row;
  }
}

/** Creates the row of a job. Its strip stays where it is, as it may have the focus. */
function createRow({ job, title }: JobStatus, table: HTMLElement, clock: Clock): Row {
  const strip = createStrip(title);
  const name = create('th', { scope: 'row', role: 'rowheader', class: 'job' });
  const state = createCell('c-state');
  const checked = createCell('', 'Checked');
  const refreshed = createCell('', 'Refreshed');
  const dataAsOf = createCell('', 'Data as of');
  const waiting = createCell('number c-wait', 'Waiting');
  const cause = create('td', { colspan: '7', role: 'cell' });
  const causeRow = create('tr', { class: 'cause', role: 'row', hidden: '' }, cause);
  const cells = [name, state, createCell('c-strip', '', strip.element), checked, refreshed];
  const body = create('tbody', { 'data-job': job, role: 'rowgroup' });
  body.append(create('tr', { role: 'row' }, ...cells, dataAsOf, waiting), causeRow);
  table.append(body);
  return {
    strip,
    show: (now, status) => {
      const words = describeState(now, status, clock.now());
      name.replaceChildren(createName(now, words));
      state.replaceChildren(createState(now, words, status, clock));
      checked.replaceChildren(createAge(now.lastCheck, clock));
      refreshed.replaceChildren(createAge(now.lastRefresh, clock, 'not on record'));
      dataAsOf.replaceChildren(...createDataAsOf(now, clock));
      setText(waiting, describePending(now, status));
      const text = describeCause(now, status);
      causeRow.hidden = text === '';
      causeRow.className = `cause ${words.tone}`;
      const link = create('a', { href: '#verdict' }, 'What to do');
      cause.replaceChildren(create('span', {}, ...localize(text, clock), ' '), link);
    },
  };
}

function createState(
  job: JobStatus,
  { tone, words }: StateWords,
  status: Status,
  clock: Clock,
): HTMLElement {
  const isFailing = job.state === 'failing' && !isDatabaseAway(status);
  const since =
    isFailing && job.failingSince !== null ? ` since ${clock.name(job.failingSince)}` : '';
  return create('span', { class: `state ${tone}` }, `${words}${since}`);
}

function createJobTable(): HTMLElement {
  const heads = columns.map(([name, className, title]) =>
    create(
      'th',
      { scope: 'col', role: 'columnheader', class: className, ...(title === '' ? {} : { title }) },
      name,
    ),
  );
  const table = create(
    'table',
    { class: 'data', role: 'table' },
    create('caption', { class: 'visually-hidden' }, 'Jobs that keep the figures current'),
    create('thead', { role: 'rowgroup' }, create('tr', { role: 'row' }, ...heads)),
  );
  byId('jobs').replaceChildren(table);
  return table;
}

function createName({ job, title, subject }: JobStatus, { tone }: StateWords): HTMLElement {
  return create(
    'div',
    { class: 'job-name' },
    createLevelIcon(tone, 20),
    create(
      'div',
      {},
      create('b', {}, title),
      create('span', { class: 'what' }, subject),
      create('code', { class: 'what' }, job),
    ),
  );
}

function createCell(className: string, label = '', ...children: Child[]): HTMLElement {
  const attributes = {
    role: 'cell',
    class: className,
    ...(label === '' ? {} : { 'data-l': label }),
  };
  return create('td', attributes, ...children);
}

function createDataAsOf({ dataAsOf }: JobStatus, clock: Clock): HTMLElement[] {
  if (dataAsOf === null) return [create('span', { class: 'dim' }, 'not known')];
  const text = clock.zone.clock(new Date(dataAsOf), clock.now());
  return [createTime(dataAsOf, text, clock), create('small', {}, formatAge(dataAsOf, clock.now()))];
}

function describePending({ pendingChanges }: JobStatus, status: Status): string {
  if (pendingChanges === null || isDatabaseAway(status)) return 'not known';
  return formatNumber(pendingChanges);
}

function describeCause(job: JobStatus, status: Status): string {
  if (isDatabaseAway(status) || status.isMaintenance) return '';
  if (job.state === 'held back') return `${job.reason}.`;
  if (job.state !== 'failing') return '';
  const failures = job.consecutiveFailures;
  return failures > 1 ? `${failures} runs failed in a row: ${job.reason}.` : `${job.reason}.`;
}

function describeSchedule(status: Status, now: Date): string {
  if (status.isMaintenance) return 'Paused: maintenance';
  if (isDatabaseAway(status)) return 'Last known';
  if (status.nextRun === null) return '';
  return `Next in ${formatSpan(Date.parse(status.nextRun) - now.getTime())}`;
}
