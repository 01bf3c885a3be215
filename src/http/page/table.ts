import { create, type Child } from './dom.js';

export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/**
 * A table with a caption, whose first column names the row. It scrolls sideways in a region of its
 * own, which the keyboard reaches.
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
