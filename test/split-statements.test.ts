import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitStatements } from '../src/schema/split-statements.js';

function texts(sql: string): string[] {
  return splitStatements(sql).map(({ text }) => text);
}

test('statements end at semicolons, and comments between them are dropped', () => {
  expect(splitStatements('-- head\nselect 1;\n\n/* two */ select\n 2;\n-- tail\n')).toEqual([
    { text: 'select 1', line: 2 },
    { text: 'select\n 2', line: 4 },
  ]);
});

test.each([
  [`select ';', 'it''s;'`],
  [`select E'\\';'`],
  [`select "odd;name"`],
  [`select $$ a; b $$`],
  [`select $tag$ a; $$ b; $tag$`],
  [`select /* ; /* nested; */ ; */ 1`],
  [`select 1 -- ; no end\n`],
  [`select a$1$b, value;'`.replace(`;'`, '')],
  [`do $$ begin perform 1; end $$`],
])('a semicolon inside quotes or comments ends nothing: %s', (sql) => {
  expect(texts(`${sql};`)).toEqual([sql.trimEnd()]);
});

test('an identifier that ends in e opens no escape string', () => {
  expect(texts(`select 'a\\'; select 'b'`)).toEqual([`select 'a\\'`, `select 'b'`]);
  expect(texts(`select date'2020-01-01\\'; select 2`)).toEqual([
    `select date'2020-01-01\\'`,
    'select 2',
  ]);
});

test('any mix of pieces is split at exactly the top-level semicolons', () => {
  const piece = fc.constantFrom(
    `'a;b'`,
    `''''`,
    `E'\\';'`,
    `"x;y"`,
    `$$;$$`,
    `$f$ ; $$ $f$`,
    `/* ; /*;*/ */`,
    `word`,
    `1.5`,
    `a$b`,
    ' ',
    '(',
    ')',
  );
  const statement = fc
    .array(piece, { minLength: 1, maxLength: 6 })
    .map((pieces) => `x ${pieces.join(' ')}`);
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 6 }), (statements) => {
      expect(texts(statements.join(';\n'))).toEqual(statements.map((text) => text.trimEnd()));
    }),
  );
});
