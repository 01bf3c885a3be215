import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli.js';
import type { Invocation } from '../src/commands/invocation.js';
import { runCommand } from './support/program.js';
import { loadCsv } from './support/load-csv.js';
import { createTestDatabase } from './support/test-database.js';

const commands = [
  'config',
  'refresh',
  'status',
  'verify --repair',
  'verify',
  'rebuild',
  'rebuild history --since 2024-01-01 --yes',
  'migrate --status',
  'migrate --dry-run',
  'migrate',
];

/** Figures of a difference: some hold several numbers. */
const textFields: ReadonlySet<string> = new Set(['expected', 'found']);

/** Returns what is wrong with a value and all within it. */
function problemsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => problemsOf(item, `${path}[]`));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => [
      ...(/^[a-z][a-zA-Z0-9]*$/.test(key) ? [] : [`${path}.${key}: not in camelCase`]),
      ...(textFields.has(key) ? [] : problemsOf(inner, `${path}.${key}`)),
    ]);
  }
  if (typeof value !== 'string') return [];
  if (value === '') return [`${path}: empty`];
  if (/^-?\d+(\.\d+)?$/.test(value)) return [`${path}: the number ${value} as text`];
  const isTime = /^\d{4}-\d\d-\d\d.?\d\d:\d\d/.test(value);
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
  return isTime && !isIso ? [`${path}: the time ${value}`] : [];
}

/** Returns the fields of each document in docs/json.md. */
async function documented(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await readFile(new URL('../docs/json.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split(/^\| document /m);
  const [rows = ''] = table.split(/^## /m);
  const names = (cell: string): string[] =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return new Map(
    rows.split('\n').flatMap((row) => {
      const [, documents = '', fields = ''] = row.split('|');
      return names(documents).map((name) => [name, names(fields)] as const);
    }),
  );
}

test('every --json document has a version, its documented fields and typed values', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const fields = await documented();
  for (const command of commands) {
    if (command.startsWith('verify')) {
      await target.query('update registry_stats.count_rollup set row_count = row_count + 1');
    }
    const { stdout, stderr } = await runCommand([...command.split(' '), '--json'], {
      env: { ...target.env, STATUS_PORT: '1' },
    });
    expect(stdout, `${command}: ${stderr}`).not.toBe('');
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document['version'], command).toBe(1);
    expect(problemsOf(document), command).toEqual([]);
    const name = command.replace(/ --since .*/, '');
    expect(Object.keys(document).slice(1).sort(), name).toEqual(
      [...(fields.get(name) ?? [])].sort(),
    );
  }
}, 120_000);

test('the test above has every command with --json', async () => {
  const { commands: all } = await createProgram({} as Invocation);
  const withJson = all.filter(({ options }) => options.some(({ long }) => long === '--json'));
  const tested = new Set(commands.map((command) => command.split(' ')[0]));
  expect([...tested].sort()).toEqual(withJson.map((command) => command.name()).sort());
});
