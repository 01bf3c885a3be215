import CliTable from 'cli-table3';
import { printable } from '../printable.js';
import { cut } from './width.js';

/** A cell that is coloured after its text was made printable. */
interface PaintedCell {
  readonly text: string;
  readonly paint: (text: string) => string;
}

type Cell = string | number | PaintedCell;

interface TableOptions {
  /** The columns of numbers, from 0. */
  readonly rightAligned?: readonly number[];
  /** If the table would be wider, the texts of its last column are cut. */
  readonly width?: number;
}

/** Spaces between two columns. */
const gap = 2;

/** A column is as wide as its longest cell, so a very long name would break the table. */
const longestCell = 200;
const shortestCell = 10;

/** Returns a table for a terminal. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { rightAligned = [], width = Infinity }: TableOptions = {},
): string {
  const table = new CliTable({
    head: [...head],
    chars: plainFrame,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
    colAligns: head.map((_, column) => (rightAligned.includes(column) ? 'right' : 'left')),
  });
  const last = head.length - 1;
  const room = width - widthBefore(last, [head, ...rows]);
  const lengthOfLast = Math.min(longestCell, Math.max(shortestCell, room));
  table.push(
    ...rows.map((row) =>
      row.map((cell, column) => render(cell, column === last ? lengthOfLast : longestCell)),
    ),
  );
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Returns the width of the columns before this one, with their gaps. */
function widthBefore(column: number, rows: readonly (readonly Cell[])[]): number {
  const widths = Array.from({ length: column }, (_, index) =>
    Math.max(...rows.map((row) => Array.from(textOf(row[index] ?? '')).length)),
  );
  return widths.reduce((sum, width) => sum + width + gap, 0);
}

/** Names come from the database and may contain control characters. */
function textOf(cell: Cell): string {
  return printable(typeof cell === 'object' ? cell.text : String(cell));
}

function render(cell: Cell, longest: number): string {
  const text = cut(textOf(cell), longest);
  return typeof cell === 'object' ? cell.paint(text) : text;
}

const plainFrame = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ]
    .flat()
    .map((name) => [name, '']),
);
