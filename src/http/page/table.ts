import { create, type Child } from './dom.js';

interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/**
 * Returns a table with a caption. The first column is the row header. It scrolls sideways in its
 * own region, which the keyboard can reach.
 */
export function createTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  const head = columns.map((column) =>
    create('th', { scope: 'col', ...classOf(column) }, column.name),
  );
  const body = rows.map((cells) =>
    create('tr', {}, ...cells.map((cell, index) => createCell(cell, columns[index], index))),
  );
  const table = create(
    'table',
    {},
    create('caption', {}, caption),
    create('thead', {}, create('tr', {}, ...head)),
    create('tbody', {}, ...body),
  );
  return create(
    'div',
    { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption },
    table,
  );
}

function createCell(cell: Child, column: Column | undefined, index: number): HTMLElement {
  if (index === 0) return create('th', { scope: 'row' }, cell);
  return create('td', classOf(column), cell);
}

function classOf(column: Column | undefined): Record<string, string> {
  return column?.isNumber === true ? { class: 'number' } : {};
}
