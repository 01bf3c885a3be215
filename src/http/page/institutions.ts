import type { DepositFigure, Figures } from '../../status/figures-model.js';
import type { Address } from './address.js';
import { createDepositTable, type TotalRow } from './deposit-table.js';
import { byId, create, setText } from './dom.js';
import { countOf, formatDollars } from './format.js';
import { orders, sortDeposits } from './sort-deposits.js';
import type { Unit } from './unit.js';

/** Fewer rows where a row is three lines. */
const firstRows = matchMedia('(max-width: 43.75em)').matches ? 5 : 10;

/** The deposits of each institution, with a search and a choice of order. */
export class Institutions {
  readonly #address: Address;
  readonly #table = byId('institution-table');
  readonly #find = byId('find') as HTMLInputElement;
  readonly #order = byId('institution-sort') as HTMLSelectElement;
  #shown: { readonly figures: Figures; readonly unit: Unit } | undefined;
  #isWhole = false;

  constructor(address: Address) {
    this.#address = address;
    this.#find.value = address.chosen.find;
    this.#order.append(...orders.map(([value, name]) => create('option', { value }, name)));
    this.#find.addEventListener('input', () => {
      address.choose({ find: this.#find.value });
      this.#draw();
    });
    this.#order.addEventListener('change', () => {
      this.#sortBy(this.#order.value);
    });
  }

  show(figures: Figures, unit: Unit): void {
    this.#shown = { figures, unit };
    this.#draw();
  }

  /** Paper shows all of them. */
  setPrinting(isPrinting: boolean): void {
    this.#isWhole = isPrinting;
    this.#draw();
  }

  #sortBy(sort: string): void {
    this.#address.choose({ sort });
    this.#draw();
    const key = sort.replace('-', '');
    this.#table.querySelector<HTMLElement>(`[data-sort="${key}"]`)?.focus();
  }

  #draw(): void {
    if (this.#shown === undefined) return;
    const { figures, unit } = this.#shown;
    const all = figures.deposits.byInstitution;
    const { find, sort } = this.#address.chosen;
    this.#order.value = sort;
    setText(
      byId('institutions-note'),
      all.length === 0 ? '' : `${all.length} with deposits, cost at list price`,
    );
    if (all.length === 0) {
      const text = 'No institution has deposits yet.';
      this.#table.replaceChildren(create('p', { class: 'empty' }, text));
      return;
    }
    const found = sortDeposits(
      all.filter(({ name }) => isLike(name, find)),
      sort,
    );
    const isWhole = this.#isWhole || find !== '';
    const total = find === '' ? totalOf(figures) : sumOf(found);
    const table = createDepositTable(total, isWhole ? found : found.slice(0, firstRows), {
      ...{ caption: 'Deposits by institution', first: 'Institution', hasPrice: false, unit, sort },
      onSort: (next) => {
        this.#sortBy(next);
      },
    });
    this.#table.replaceChildren(table, ...this.#createFoot(found, unit, find));
  }

  #createFoot(found: readonly DepositFigure[], unit: Unit, find: string): HTMLElement[] {
    if (found.length === 0) {
      return [create('p', { class: 'empty' }, `No institution has “${find}” in its name.`)];
    }
    const others = found.slice(firstRows);
    if (others.length === 0 || find !== '') return [];
    const words = this.#isWhole ? `Show the first ${firstRows}` : `Show all ${found.length}`;
    const button = create('button', { type: 'button', class: 'button quiet' }, words);
    button.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole;
      this.#draw();
      this.#table.querySelector<HTMLElement>('.foot button')?.focus();
    });
    const { bytes, monthlyCost } = sumOf(others);
    const cost = monthlyCost === null ? '' : `, ${formatDollars(monthlyCost)} a month`;
    const rest = `The other ${others.length}: ${unit.formatWithName(bytes)}${cost}`;
    return [
      create(
        'div',
        { class: 'foot' },
        button,
        this.#isWhole ? undefined : create('span', { class: 'right' }, rest),
      ),
    ];
  }
}

function isLike(name: string, find: string): boolean {
  return name.toLocaleLowerCase('en').includes(find.toLocaleLowerCase('en'));
}

/** The total of the view, not a sum. */
export function totalOf({ deposits, history, growthSince }: Figures): TotalRow {
  const total = deposits.total ?? { objects: 0, files: 0, bytes: 0, monthlyCost: null };
  const { bytes } = history.total;
  const before =
    growthSince.year === null ? undefined : bytes[history.months.indexOf(growthSince.year)];
  return {
    ...total,
    name: 'All institutions',
    yearGrowth: before === undefined ? null : total.bytes - before,
    levels: [...bytes.slice(-12), total.bytes],
  };
}

/** Sums over institutions are exact, as an object belongs to one. Over options they are not. */
function sumOf(rows: readonly DepositFigure[]): TotalRow {
  const sum = (of: (row: DepositFigure) => number | null): number | null =>
    rows.reduce<number | null>((total, row) => {
      const value = of(row);
      return total === null || value === null ? null : total + value;
    }, 0);
  return {
    name: `${countOf(rows.length, 'institution')} found`,
    objects: sum(({ objects }) => objects) ?? 0,
    files: sum(({ files }) => files) ?? 0,
    bytes: sum(({ bytes }) => bytes) ?? 0,
    monthlyCost: sum(({ monthlyCost }) => monthlyCost),
    yearGrowth: sum(({ yearGrowth }) => yearGrowth),
    levels: [],
  };
}
