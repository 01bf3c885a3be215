import { create } from './dom.js';

export interface Column {
  /** What it sorts by; without one it does not sort. */
  readonly key?: string;
  readonly name: string;
  readonly className: string;
}

/** Returns the head of a table, whose buttons sort. `sort` is a key, with '-' for descending. */
export function createHead(
  columns: readonly Column[],
  sort: string,
  onSort: (sort: string) => void,
): HTMLElement {
  const cells = columns.map(({ key, name, className }) => {
    const place = { scope: 'col', role: 'columnheader', class: className };
    if (key === undefined) return create('th', place, name);
    const sorted = key === sort.replace('-', '') ? { 'aria-sort': directionOf(sort) } : {};
    const button = create('button', { type: 'button', 'data-sort': key }, name);
    button.addEventListener('click', () => {
      onSort(nextSort(sort, key));
    });
    return create('th', { ...place, ...sorted }, button);
  });
  return create('thead', { role: 'rowgroup' }, create('tr', { role: 'row' }, ...cells));
}

function directionOf(sort: string): string {
  return sort.startsWith('-') ? 'descending' : 'ascending';
}

/** Numbers begin with the largest, names with A. A second click turns the order. */
export function nextSort(sort: string, key: string): string {
  if (sort.replace('-', '') === key) return sort.startsWith('-') ? key : `-${key}`;
  return key === 'name' ? key : `-${key}`;
}
