import { expect, test } from 'vitest';
import { toCsv } from '../src/http/csv.js';

const rowsOf = (...cells: readonly (string | number | null)[]): string =>
  toCsv({ columns: ['a'], rows: cells.map((cell) => [cell]) })
    .split('\r\n')
    .slice(1, -1)
    .join('|');

test('a text that a spreadsheet would run has an apostrophe in front', () => {
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '＝1', '\t1'];
  expect(rowsOf(...formulas)).toBe(formulas.map((text) => `'${text}`).join('|'));
  expect(rowsOf('\r=1', '\n=1')).toBe(`"'\r=1"|"'\n=1"`);
  expect(rowsOf('=HYPERLINK("http://example.org")')).toBe(`"'=HYPERLINK(""http://example.org"")"`);
});

test('numbers stay numbers, names stay names', () => {
  expect(rowsOf(-5, 0, 1.5, 2 ** 53, null)).toBe('-5|0|1.5|9007199254740992|');
  expect(rowsOf('St. Aldhelm’s', "O'Brien", 'a-b', 'Ĉefa')).toBe("St. Aldhelm’s|O'Brien|a-b|Ĉefa");
});

test('commas, quotes and line breaks are quoted, and the file begins with its encoding', () => {
  expect(rowsOf('a,b', 'a"b', 'a\nb')).toBe('"a,b"|"a""b"|"a\nb"');
  expect(toCsv({ columns: ['a', 'b'], rows: [['x', 1]] })).toBe('\ufeffa,b\r\nx,1\r\n');
});
