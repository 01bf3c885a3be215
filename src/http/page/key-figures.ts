import type { DepositFigure, Figures } from '../../status/figures-model.js';
import { createBars } from './bars.js';
import { byId, create, type Child } from './dom.js';
import { formatChange, formatDollars, formatMonth, formatNumber, formatPercent } from './format.js';
import type { Unit } from './unit.js';

interface KeyFigure {
  readonly label: string;
  readonly value: Child[];
  readonly now: number;
  /** On the first of each month. */
  readonly past: readonly (number | null)[];
  readonly format: (size: number) => string;
  readonly isFirst?: boolean;
}

const shownMonths = 24;

/** Shows the four figures of now, with their growth, and what grew most. */
export function showKeyFigures(figures: Figures, unit: Unit): void {
  const box = byId('key-figures');
  const { total } = figures.deposits;
  if (total === null || total.files === 0) {
    const text =
      'Nothing is stored yet. The figures appear after the first deposit and the next run.';
    box.replaceChildren(create('p', { class: 'empty' }, text));
    return;
  }
  box.replaceChildren(
    ...keyFiguresOf(figures, unit).map((figure) => createFigure(figure, figures)),
    createMovers(figures, unit),
  );
}

function keyFiguresOf({ deposits: { total }, history }: Figures, unit: Unit): KeyFigure[] {
  if (total === null) return [];
  const { bytes, files, objects, monthlyCost } = total;
  const rounded = (bytes / unit.bytes).toLocaleString('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const title = `${formatNumber(bytes)} bytes`;
  const size = create('span', { title }, rounded, create('small', {}, unit.name));
  const past = history.total;
  const toDollars = (dollars: number): string => formatDollars(dollars, 0);
  return [
    {
      ...{ label: 'Stored', value: [size], now: bytes, past: past.bytes, isFirst: true },
      format: unit.formatWithName,
    },
    {
      label: 'Files',
      value: [formatNumber(files)],
      now: files,
      past: past.files,
      format: formatNumber,
    },
    {
      ...{ label: 'Objects', value: [formatNumber(objects)], now: objects, past: past.objects },
      format: formatNumber,
    },
    {
      label: 'Cost a month, list price',
      value: [monthlyCost === null ? 'not known' : toDollars(monthlyCost)],
      now: monthlyCost ?? NaN,
      past: past.monthlyCost,
      format: toDollars,
    },
  ];
}

function createFigure(
  { label, value, now, past, format, isFirst }: KeyFigure,
  { growthSince, history }: Figures,
): HTMLElement {
  const levels = [...past, now].slice(-shownMonths - 1).map((level) => level ?? 0);
  const before = (month: string | null): number | null =>
    month === null ? null : (past[history.months.indexOf(month)] ?? null);
  return create(
    'div',
    { class: isFirst === true ? 'key first-key' : 'key' },
    create('div', { class: 'label' }, label),
    create('div', { class: 'value' }, ...value),
    Number.isNaN(now) ? undefined : createBars(levels, 240, isFirst === true ? 44 : 32),
    create(
      'dl',
      { class: 'grow' },
      ...growthRow('1 month', growthSince.month, now, before(growthSince.month), format),
      ...growthRow('12 months', growthSince.year, now, before(growthSince.year), format),
    ),
  );
}

function growthRow(
  term: string,
  since: string | null,
  now: number,
  before: number | null,
  format: (size: number) => string,
): HTMLElement[] {
  if (since === null || before === null || Number.isNaN(now)) {
    return [create('dt', {}, term), create('dd', {}, 'not known'), create('dd', { class: 'part' })];
  }
  const percent = (share: number): string => formatPercent(share);
  const share = before === 0 ? 'new' : formatChange((now - before) / before, percent);
  return [
    create('dt', { title: `Since ${formatMonth(since)}` }, term),
    create('dd', {}, formatChange(now - before, format)),
    create('dd', { class: 'part' }, share),
  ];
}

function createMovers({ deposits, growthSince }: Figures, unit: Unit): HTMLElement | string {
  if (growthSince.year === null) return '';
  const groups = [
    largestGrowth(deposits.byInstitution, 3),
    largestGrowth(deposits.byStorageOption, 2),
  ].map((rows) =>
    create(
      'span',
      { class: 'group' },
      ...rows.map(({ name, yearGrowth }) =>
        create(
          'span',
          {},
          `${name} `,
          create('b', {}, formatChange(yearGrowth ?? 0, unit.formatWithName)),
        ),
      ),
    ),
  );
  const lead = `Grew most since ${formatMonth(growthSince.year)}`;
  return create('p', { class: 'movers' }, create('span', { class: 'lead' }, lead), ...groups);
}

function largestGrowth(rows: readonly DepositFigure[], count: number): DepositFigure[] {
  return rows
    .filter(({ yearGrowth }) => (yearGrowth ?? 0) > 0)
    .sort((one, other) => (other.yearGrowth ?? 0) - (one.yearGrowth ?? 0))
    .slice(0, count);
}
