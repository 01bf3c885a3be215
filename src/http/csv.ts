import type { Cell, CsvTable } from '../status/csv-tables.js';

/** Marks UTF-8. Without it, Excel reads names with accents wrongly. */
const byteOrderMark = '\ufeff';

/** Returns a CSV file as RFC 4180 has it, with a heading. */
export function toCsv({ columns, rows }: CsvTable): string {
  const lines = [columns, ...rows].map((cells) => cells.map(toCell).join(','));
  return `${byteOrderMark}${lines.join('\r\n')}\r\n`;
}

/**
 * A spreadsheet runs a text that begins like a formula, and names come from a database that many
 * may write to. An apostrophe in front makes it a text.
 */
const formula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;

function toCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = formula.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
