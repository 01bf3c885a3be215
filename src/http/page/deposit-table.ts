import { createBars, createShareBar } from './bars.js';
import type { DepositFigure, DepositTotal } from '../../status/figures-model.js';
import { create, type Child } from './dom.js';
import { formatChange, formatDollars, formatNumber, formatPercent, formatPrice } from './format.js';
import { growthShare } from './growth-share.js';
import { createHead, type Column } from './sort-head.js';
import type { Unit } from './unit.js';

/** The first line of a table. It never takes part in sorting. */
export interface TotalRow extends DepositTotal {
  readonly name: string;
  readonly yearGrowth: number | null;
  /** The last 13 levels; empty where there is nothing to draw. */
  readonly levels: readonly number[];
}

interface DepositTableOptions {
  readonly caption: string;
  readonly first: string;
  readonly hasPrice: boolean;
  readonly unit: Unit;
  readonly sort: string;
  readonly onSort: (sort: string) => void;
}

/** Returns a table of deposits. On a phone each row becomes three lines. */
export function createDepositTable(
  total: TotalRow,
  rows: readonly DepositFigure[],
  options: DepositTableOptions,
): HTMLElement {
  const { caption, unit, hasPrice } = options;
  const most = Math.max(...rows.map(({ bytes }) => bytes), 1);
  const scale = { unit, hasPrice, most, total: total.bytes };
  return create(
    'table',
    { class: 'data fold', role: 'table' },
    create('caption', { class: 'visually-hidden' }, caption),
    createHead(columnsOf(options), options.sort, options.onSort),
    create(
      'tbody',
      { role: 'rowgroup' },
      createTotal(total, scale),
      ...rows.map((row) => createRow(row, scale)),
    ),
  );
}

interface Scale {
  readonly unit: Unit;
  readonly hasPrice: boolean;
  readonly most: number;
  readonly total: number;
}

function columnsOf({ first, unit, hasPrice }: DepositTableOptions): Column[] {
  const number = (key: string, name: string, className = ''): Column => ({
    key,
    name,
    className: `number ${className}`.trim(),
  });
  return [
    { key: 'name', name: first, className: '' },
    number('bytes', `Stored, ${unit.name}`),
    { name: 'Share', className: 'c-share' },
    number('files', 'Files'),
    number('objects', 'Objects'),
    ...(hasPrice ? [number('price', 'Price a GiB', 'c-price')] : []),
    number('cost', 'Cost a month'),
    number('growth', `12 months, ${unit.name}`, 'c-growth'),
    number('percent', '12 months, %', 'c-percent'),
    { name: 'By month', className: 'c-trend' },
  ];
}

function createTotal(row: TotalRow, { unit, hasPrice }: Scale): HTMLElement {
  return create(
    'tr',
    { role: 'row', class: 'total' },
    create('th', { scope: 'row', role: 'rowheader' }, row.name),
    createStored(row.bytes, unit),
    cell('c-share', create('div', { class: 'share' }, '100 %')),
    ...createNumbers({ ...row, pricePerGb: null }, unit, hasPrice),
    cell('c-trend', row.levels.length === 0 ? '' : createBars(row.levels, 84, 18)),
  );
}

function createRow(row: DepositFigure, { unit, hasPrice, most, total }: Scale): HTMLElement {
  const { name, bytes, recentBytes } = row;
  const share = create(
    'div',
    { class: 'share' },
    createShareBar(bytes / most, 'wide'),
    create('span', {}, total === 0 ? '–' : formatPercent(bytes / total)),
  );
  return create(
    'tr',
    { role: 'row' },
    create('th', { scope: 'row', role: 'rowheader' }, name),
    createStored(bytes, unit),
    cell('c-share', share),
    ...createNumbers(row, unit, hasPrice),
    cell('c-trend', createBars([...recentBytes.slice(-12), bytes], 84, 18)),
  );
}

type Numbers = Omit<DepositFigure, 'recentBytes' | 'name'>;

function createNumbers(row: Numbers, unit: Unit, hasPrice: boolean): HTMLElement[] {
  const { files, objects, pricePerGb, monthlyCost, yearGrowth } = row;
  const price = pricePerGb === null ? '' : formatPrice(pricePerGb);
  const cost = monthlyCost === null ? 'not known' : formatDollars(monthlyCost);
  const growth = yearGrowth === null ? '–' : formatChange(yearGrowth, unit.format);
  return [
    cell('number c-files', formatNumber(files)),
    cell('number c-objects', formatNumber(objects)),
    ...(hasPrice ? [cell('number c-price', price)] : []),
    cell('number c-cost', cost),
    cell('number c-growth', growth),
    cell('number c-percent', percentOf(row)),
  ];
}

function percentOf({ bytes, yearGrowth }: Pick<Numbers, 'bytes' | 'yearGrowth'>): string {
  const share = growthShare(bytes, yearGrowth);
  if (share === null) return '–';
  if (!Number.isFinite(share)) return 'new';
  return formatChange(share, (size) => formatPercent(size, 0));
}

function createStored(bytes: number, unit: Unit): HTMLElement {
  const title = `${formatNumber(bytes)} bytes`;
  const stored = cell('number c-stored', unit.format(bytes));
  stored.setAttribute('title', title);
  stored.append(create('span', { class: 'phone-unit' }, ` ${unit.name}`));
  return stored;
}

function cell(className: string, child: Child): HTMLElement {
  return create('td', { class: className, role: 'cell' }, child);
}
