import type { RunRecord } from '../../status/model.js';
import { createAge, createTime, type Clock } from './clock.js';
import { create, type Child } from './dom.js';
import { formatDuration, formatNumber } from './format.js';
import { createGlyph } from './glyphs.js';
import { groupRuns } from './run-groups.js';
import { isOutcome, outcomeWords } from './words.js';

interface RowOptions {
  readonly clock: Clock;
  readonly titles: Readonly<Record<string, string>>;
  readonly isSummedUp: boolean;
  /** First ids of the groups that are shown run by run. */
  readonly opened: ReadonlySet<string>;
  readonly onOpen: (id: string) => void;
}

const columns = [
  ['Started', ''],
  ['Outcome', ''],
  ['Job', ''],
  ['Started by', 'c-by'],
  ['Took', 'number'],
  ['Changes', 'number'],
  ['Details', ''],
] as const;

/** Returns the table of the runs, with a line for each day. */
export function createRunRows(runs: readonly RunRecord[], options: RowOptions): HTMLElement {
  const { clock } = options;
  const now = clock.now();
  const dayOf = ({ startedAt }: RunRecord): string => clock.zone.day(new Date(startedAt), now);
  const today = clock.zone.day(now, now);
  let shownDay = '';
  const rows = groupRuns(runs, dayOf, options.isSummedUp).flatMap(({ day, runs: group }) => {
    const head = day === shownDay ? [] : [createDay(day === today ? `Today, ${day}` : day)];
    shownDay = day;
    return [...head, ...createGroup(group, options)];
  });
  const heads = columns.map(([name, className]) =>
    create('th', { scope: 'col', role: 'columnheader', class: className }, name),
  );
  return create(
    'table',
    { class: 'data', role: 'table' },
    create('caption', { class: 'visually-hidden' }, 'Runs on record, newest first'),
    create('thead', { role: 'rowgroup' }, create('tr', { role: 'row' }, ...heads)),
    create('tbody', { role: 'rowgroup' }, ...rows),
  );
}

function createDay(text: string): HTMLElement {
  const cell = create('th', { colspan: '7', scope: 'rowgroup', role: 'rowheader' }, text);
  return create('tr', { class: 'day', role: 'row' }, cell);
}

function createGroup(group: readonly RunRecord[], options: RowOptions): HTMLElement[] {
  const [first] = group;
  if (first === undefined) return [];
  if (group.length === 1 || options.opened.has(first.id)) {
    return group.map((run) => createRow(run, options));
  }
  const { zone } = options.clock;
  const [from, to] = [group.at(-1) ?? first, first].map(({ startedAt }) =>
    zone.minute(new Date(startedAt)),
  );
  const words = `${group.length} runs with nothing to do`;
  const button = create('button', { type: 'button', 'aria-expanded': 'false' }, words);
  button.addEventListener('click', () => {
    options.onOpen(first.id);
  });
  const when = from === to ? (to ?? '') : `${from ?? ''}–${to ?? ''}`;
  return [
    create(
      'tr',
      { class: 'quiet', role: 'row' },
      create('th', { scope: 'row', role: 'rowheader', class: 'c-when dim' }, when),
      create(
        'td',
        { colspan: '6', role: 'cell' },
        create('span', { class: 'outcome' }, createGlyph('skipped'), button),
      ),
    ),
  ];
}

function createRow(run: RunRecord, { clock, titles }: RowOptions): HTMLElement {
  const { startedAt, durationMs, reason, viewsRefreshed, changes } = run;
  const outcome = run.outcome !== null && isOutcome(run.outcome) ? run.outcome : 'running';
  const badge = create(
    'span',
    { class: `outcome ${outcome}` },
    createGlyph(outcome),
    outcomeWords[outcome],
  );
  const started = createTime(startedAt, clock.zone.second(new Date(startedAt)), clock);
  const details = [reason, viewsRefreshed.join(', ')].filter(
    (text) => text !== null && text !== '',
  );
  const cell = (className: string, child: Child): HTMLElement =>
    create('td', { class: className, role: 'cell' }, child);
  return create(
    'tr',
    { role: 'row' },
    create('th', { scope: 'row', role: 'rowheader', class: 'c-when' }, started),
    cell('c-outcome', badge),
    cell('c-job', titles[run.job] ?? run.job),
    cell('c-by', run.trigger),
    cell(
      'number c-took',
      durationMs === null ? createAge(startedAt, clock) : formatDuration(durationMs),
    ),
    cell('number c-changes', changes === null ? '' : formatNumber(changes)),
    cell('why', details.join('; ')),
  );
}
