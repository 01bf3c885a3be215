import type { Figures } from '../../status/figures-model.js';
import type { Address } from './address.js';
import { createDepositTable } from './deposit-table.js';
import { byId, create } from './dom.js';
import { totalOf } from './institutions.js';
import { sortDeposits } from './sort-deposits.js';
import type { Unit } from './unit.js';

const firstRows = matchMedia('(max-width: 43.75em)').matches ? 5 : 50;

/** The deposits in each storage option, with its list price. */
export class StorageOptions {
  readonly #address: Address;
  readonly #table = byId('option-table');
  #shown: { readonly figures: Figures; readonly unit: Unit } | undefined;
  #isWhole = false;

  constructor(address: Address) {
    this.#address = address;
  }

  show(figures: Figures, unit: Unit): void {
    this.#shown = { figures, unit };
    this.#draw();
  }

  setPrinting(isPrinting: boolean): void {
    this.#isWhole = isPrinting;
    this.#draw();
  }

  #draw(): void {
    if (this.#shown === undefined) return;
    const { figures, unit } = this.#shown;
    const { optionSort: sort } = this.#address.chosen;
    const rows = sortDeposits(figures.deposits.byStorageOption, sort);
    if (rows.length === 0) {
      this.#table.replaceChildren(create('p', { class: 'empty' }, 'Nothing is stored yet.'));
      return;
    }
    const shown = this.#isWhole ? rows : rows.slice(0, firstRows);
    const total = { ...totalOf(figures), name: 'All options' };
    const table = createDepositTable(total, shown, {
      ...{
        caption: 'Deposits by storage option',
        first: 'Storage option',
        hasPrice: true,
        unit,
        sort,
      },
      onSort: (next) => {
        this.#address.choose({ optionSort: next });
        this.#draw();
        const key = next.replace('-', '');
        this.#table.querySelector<HTMLElement>(`[data-sort="${key}"]`)?.focus();
      },
    });
    this.#table.replaceChildren(table, this.#createFoot(rows.length));
  }

  #createFoot(count: number): HTMLElement {
    const note = 'An object with files in two options counts in each, and once in the total.';
    const foot = create('div', { class: 'foot' });
    if (!this.#isWhole && count > firstRows) {
      const button = create(
        'button',
        { type: 'button', class: 'button quiet' },
        `Show all ${count}`,
      );
      button.addEventListener('click', () => {
        this.#isWhole = true;
        this.#draw();
        this.#table.querySelector<HTMLElement>('[data-sort="name"]')?.focus();
      });
      foot.append(button);
    }
    foot.append(create('span', {}, note));
    return foot;
  }
}
