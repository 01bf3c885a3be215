import { create } from './dom.js';
import { formatPercent } from './format.js';
import type { HistoryModel, ShownSeries } from './history-model.js';
import type { Unit } from './unit.js';

interface LegendOptions {
  readonly unit: Unit;
  readonly index: number;
  readonly only: readonly string[];
  readonly caption: string;
  /** Called with the series to show; none means all. */
  readonly onChoose: (only: readonly string[]) => void;
}

/**
 * Returns the values at the cursor, the largest first and the sum of the others last. A row is a
 * button that shows only its series.
 */
export function createLegend(model: HistoryModel, options: LegendOptions): HTMLElement[] {
  const { unit, index, only, caption } = options;
  const total = model.total[index] ?? 0;
  const rows = sortedAt(model, index).map((series) => createRow(series, total, options));
  const head = [model.labels[index] ?? '', `Stored, ${unit.name}`, 'Share'];
  const table = create(
    'table',
    {},
    create('caption', { class: 'visually-hidden' }, caption),
    create(
      'thead',
      {},
      create('tr', {}, ...head.map((text) => create('th', { scope: 'col' }, text))),
    ),
    create(
      'tbody',
      {},
      create(
        'tr',
        { class: 'sum' },
        create('th', { scope: 'row' }, 'Total'),
        create('td', {}, unit.format(total)),
        create('td', { class: 'part' }, '100 %'),
      ),
      ...rows,
    ),
  );
  return [table, createHint(only, options.onChoose)];
}

/** Returns the series by their value at a moment. */
export function sortedAt({ series }: HistoryModel, index: number): ShownSeries[] {
  return [...series].sort(
    (one, other) =>
      Number(one.isOther) - Number(other.isOther) ||
      (other.values[index] ?? 0) - (one.values[index] ?? 0),
  );
}

function createRow(
  { name, place, values }: ShownSeries,
  total: number,
  { unit, index, only, onChoose }: LegendOptions,
): HTMLElement {
  const isShown = only.length === 0 || only.includes(name);
  const button = create(
    'button',
    { type: 'button', 'aria-pressed': String(only.includes(name)), 'data-name': name },
    create('span', { class: 'swatch' }),
    name,
  );
  button.addEventListener('click', (event) => {
    onChoose(toggle(only, name, event.ctrlKey || event.metaKey || event.shiftKey));
  });
  const bytes = values[index] ?? 0;
  return create(
    'tr',
    { class: `series-${place}${isShown ? '' : ' off'}` },
    create('th', { scope: 'row' }, button),
    create('td', {}, unit.format(bytes)),
    create('td', { class: 'part' }, total === 0 ? '–' : formatPercent(bytes / total)),
  );
}

/** A click shows one series, or all again; with Ctrl it adds or removes one. */
export function toggle(only: readonly string[], name: string, isAdding: boolean): string[] {
  const isChosen = only.includes(name);
  if (!isAdding) return isChosen && only.length === 1 ? [] : [name];
  return isChosen ? only.filter((one) => one !== name) : [...only, name];
}

function createHint(
  only: readonly string[],
  onChoose: (only: readonly string[]) => void,
): HTMLElement {
  if (only.length === 0) {
    return create(
      'p',
      { class: 'hint' },
      'Select a row to see only that one.',
      create('span', { class: 'mouse' }, ' Ctrl-click adds more.'),
    );
  }
  const button = create('button', { type: 'button', class: 'button quiet' }, 'Show all');
  button.addEventListener('click', () => {
    onChoose([]);
  });
  return create('p', { class: 'hint' }, button);
}
