import CliTable from 'cli-table3';
import { printable } from '../printable.js';

/** A cell that is coloured after its text was made printable. */
interface PaintedCell {
  readonly text: string;
  readonly paint: (text: string) => string;
}

type Cell = string | number | PaintedCell;

/** Returns a table for a terminal. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  rightAligned: readonly number[] = [],
): string {
  const table = new CliTable({
    head: [...head],
    chars: plainFrame,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((_, column) => (rightAligned.includes(column) ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => row.map(toText)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Names come from the database and may contain control characters. */
function toText(cell: Cell): string {
  return typeof cell === 'object' ? cell.paint(shorten(cell.text)) : shorten(String(cell));
}

/** A column is as wide as its longest cell, so a very long name would break the table. */
const longestCell = 200;

function shorten(text: string): string {
  const characters = Array.from(printable(text));
  if (characters.length <= longestCell) return characters.join('');
  return `${characters.slice(0, longestCell - 1).join('')}…`;
}

const plainFrame = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ]
    .flat()
    .map((name) => [name, '']),
);
