import type { CountFigure, Figures } from '../../status/figures-model.js';
import { createShareBar } from './bars.js';
import { byId, create } from './dom.js';
import { capitalise, formatNumber, formatPercent } from './format.js';

const subjects = [
  { subject: 'files', name: 'Files', by: 'by state' },
  { subject: 'objects', name: 'Objects', by: 'by state' },
  { subject: 'events', name: 'Events', by: 'by type' },
  { subject: 'work items', name: 'Work items', by: 'by action' },
] as const;

const states: Readonly<Record<string, string>> = { A: 'Active', D: 'Deleted' };

/** Shows the rows of each subject by kind, the most frequent first. */
export function showCounts({ counts, deposits }: Figures): void {
  byId('count-cards').replaceChildren(
    ...subjects.map(({ subject, name, by }) => {
      const own = counts.filter((count) => count.subject === subject);
      const total = own.find(({ kind }) => kind === null)?.rows ?? 0;
      const kinds = own
        .filter(({ kind, rows }) => kind !== null && rows > 0)
        .sort((one, other) => other.rows - one.rows);
      const active = subject === 'objects' ? (deposits.total?.objects ?? null) : null;
      return create(
        'article',
        { class: `count c-${subject.replace(' ', '-')}` },
        create(
          'header',
          {},
          create('h3', {}, `${name} `, create('span', {}, by)),
          create('span', { class: 'sum' }, formatNumber(total)),
        ),
        total === 0
          ? create('p', { class: 'note' }, 'None on record.')
          : createKinds(`${name} ${by}, ${formatNumber(total)} in all`, kinds, total),
        total === 0 || active === null
          ? undefined
          : create(
              'p',
              { class: 'note' },
              `Deposits count the ${formatNumber(active)} objects that have an active file.`,
            ),
      );
    }),
  );
}

function createKinds(
  caption: string,
  kinds: readonly CountFigure[],
  total: number,
): HTMLTableElement {
  const heads = ['Kind', 'Number', 'Share'].map((text) => create('th', { scope: 'col' }, text));
  return create(
    'table',
    {},
    create('caption', { class: 'visually-hidden' }, caption),
    create('thead', { class: 'visually-hidden' }, create('tr', {}, ...heads)),
    create('tbody', {}, ...kinds.map((count) => createKind(count, total))),
  );
}

function createKind({ kind, rows }: CountFigure, total: number): HTMLElement {
  const name = kind ?? '';
  return create(
    'tr',
    {},
    create(
      'th',
      { scope: 'row' },
      capitalise(states[name] ?? name),
      createShareBar(rows / total, 'thin'),
    ),
    create('td', {}, formatNumber(rows)),
    create('td', { class: 'part' }, formatPercent(rows / total)),
  );
}
