import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { showValue } from '../config/masking.js';
import type { Transaction } from '../db/transaction.js';
import { isConnectionLost, serverRemarks } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { launchTables } from '../jobs/registry-objects.js';
import { longestLine, printableLines } from '../printable.js';

/**
 * Loads `<table>.csv` files with header rows, in the order of their references, then sets the
 * sequences. Returns the row count of each table.
 * @throws AppError FIXTURE_INVALID with file, line and column of the first invalid row
 */
export async function loadFixtures(
  transaction: Transaction,
  folder: string,
): Promise<Map<string, number>> {
  const files = await csvFiles(folder);
  const counts = new Map<string, number>();
  for (const table of launchTables) {
    if (files.has(table)) counts.set(table, await loadTable(transaction, folder, table));
  }
  await resetSequences(transaction);
  return counts;
}

/**
 * Checks what needs no database: the names of the files, and that each has a header row.
 * @throws AppError FIXTURE_INVALID
 */
export async function checkFixtures(folder: string): Promise<void> {
  for (const table of await csvFiles(folder)) await headerOf(path.join(folder, `${table}.csv`));
}

async function csvFiles(folder: string): Promise<Set<string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new AppError('FIXTURE_INVALID', `${folder}: expected a folder of CSV files`, {
      cause: error,
    });
  });
  const tables = names.filter((name) => name.endsWith('.csv')).map((name) => name.slice(0, -4));
  const unknown = tables.filter((table) => !(launchTables as readonly string[]).includes(table));
  if (tables.length > 0 && unknown.length === 0) return new Set(tables);
  throw new AppError(
    'FIXTURE_INVALID',
    `${folder}: expected files named <table>.csv, found ${unknown.join(', ') || 'none'}`,
  );
}

async function loadTable(transaction: Transaction, folder: string, table: string): Promise<number> {
  const file = path.join(folder, `${table}.csv`);
  const columns = await headerOf(file);
  const list = columns.map((column) => `"${column.replaceAll('"', '""')}"`).join(', ');
  const copy = transaction.client.query(
    copyFrom(`copy public.${table} (${list}) from stdin with (format csv, header match)`),
  );
  try {
    await pipeline(createReadStream(file), copy);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    throw fixtureError(file, error);
  }
  return copy.rowCount;
}

/** Column names contain no commas or quotes, so a split is enough. */
async function headerOf(file: string): Promise<string[]> {
  await assertRegularFile(file);
  const header = ((await beginningOf(file)).split('\n', 1)[0] ?? '').trim();
  const columns = header.split(',').map((name) => name.replace(/^"(.*)"$/, '$1'));
  if (columns.every((name) => /^[a-z_]+$/.test(name))) return columns;
  throw new AppError(
    'FIXTURE_INVALID',
    `${file}:1: expected a header row of column names, found ${showValue(header, [])}`,
  );
}

/** Throws for a named pipe, which would never end, and for a link, which may lead anywhere. */
async function assertRegularFile(file: string): Promise<void> {
  const info = await lstat(file);
  if (info.isFile()) return;
  const found = info.isSymbolicLink()
    ? 'a symbolic link'
    : info.isDirectory()
      ? 'a directory'
      : 'something else';
  throw new AppError('FIXTURE_INVALID', `${file}: expected a regular file, found ${found}`);
}

/** More than a header row needs. The file may be larger than memory. */
const headerBytes = 65_536;

async function beginningOf(file: string): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of createReadStream(file, { end: headerBytes - 1 })) {
      parts.push(part as Buffer);
    }
  } catch (error) {
    throw fixtureError(file, error);
  }
  return Buffer.concat(parts).toString();
}

function fixtureError(file: string, error: unknown): AppError {
  const { message, where } = error as Error & { where?: string };
  const line = /line (\d+)/.exec(where ?? '')?.[1];
  const column = /column (\w+)/.exec(where ?? '')?.[1];
  const place = line === undefined ? file : `${file}:${line}`;
  const parts = [`${place}: ${message}`];
  if (column !== undefined) parts.push(`column: ${column}`);
  parts.push(...serverRemarks(error));
  // The server's message quotes the value in full.
  const text = parts.map((part) => printableLines(part, longestLine)).join('\n  ');
  return new AppError('FIXTURE_INVALID', text, {
    hint: 'the database is unchanged',
    cause: error,
  });
}

/** Sets the sequences. Loaded ids do not advance them, and the next insert would collide. */
async function resetSequences(transaction: Transaction): Promise<void> {
  const serials = await transaction.query<{ table: string; sequence: string }>(
    `select
      pg_attribute.attrelid::pg_catalog.regclass::text as table,
      pg_depend.objid::pg_catalog.regclass::text as sequence
    from pg_catalog.pg_depend
    join pg_catalog.pg_class as sequence
      on sequence.oid = pg_depend.objid
      and sequence.relkind = 'S'
    join pg_catalog.pg_attribute
      on pg_attribute.attrelid = pg_depend.refobjid
      and pg_attribute.attnum = pg_depend.refobjsubid
    where pg_depend.deptype = 'a'
      and pg_attribute.attname = 'id'
      and sequence.relnamespace = 'public'::pg_catalog.regnamespace`,
  );
  for (const { table, sequence } of serials) {
    await transaction.query(
      `select pg_catalog.setval($1, coalesce(max(id), 1), max(id) is not null)
      from ${table}`,
      [sequence],
    );
  }
}
