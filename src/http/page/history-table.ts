import { create } from './dom.js';
import type { HistoryModel } from './history-model.js';
import type { Unit } from './unit.js';

/** Returns the values of the chart on each 1 January and now, the newest first. */
export function createHistoryTable(model: HistoryModel, start: number, unit: Unit): HTMLElement {
  const last = model.moments.length - 1;
  const rows = model.moments
    .map((moment, index) => ({ moment, index }))
    .filter(({ moment, index }) => index >= start && (index === last || moment.getUTCMonth() === 0))
    .map(({ index }) => index)
    .reverse();
  const columns = [`Total, ${unit.name}`, ...model.series.map(({ name }) => name)];
  return create(
    'table',
    { class: 'data' },
    create(
      'caption',
      { class: 'visually-hidden' },
      `Stored, ${unit.name}, on 1 January of each year`,
    ),
    create(
      'thead',
      {},
      create(
        'tr',
        {},
        create('th', { scope: 'col' }, 'Date'),
        ...columns.map((text) => create('th', { scope: 'col', class: 'number' }, text)),
      ),
    ),
    create('tbody', {}, ...rows.map((index) => createRow(model, index, unit))),
  );
}

function createRow(
  { labels, series, total }: HistoryModel,
  index: number,
  unit: Unit,
): HTMLElement {
  return create(
    'tr',
    {},
    create('th', { scope: 'row' }, labels[index] ?? ''),
    create('td', { class: 'number' }, create('b', {}, unit.format(total[index] ?? 0))),
    ...series.map(({ values }) =>
      create('td', { class: 'number' }, unit.format(values[index] ?? 0)),
    ),
  );
}
