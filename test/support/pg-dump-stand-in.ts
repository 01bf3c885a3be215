import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { inject } from 'vitest';
import { readStatements, type DumpStatement } from './dump-statements.js';
import type { Login } from './postgres-tools.js';

/** The number of sessions that read and write, like `--jobs` of pg_dump and pg_restore. */
export interface Sessions {
  readonly dump: number;
  readonly restore: number;
}

interface Dump {
  readonly statements: readonly DumpStatement[];
  readonly tables: readonly TableRows[];
  /** Statements that restore the sequences. */
  readonly sequences: readonly string[];
}

interface TableRows {
  readonly target: string;
  readonly table: string;
  readonly rows: readonly Buffer[];
}

/**
 * Moves a database like pg_dump and pg_restore, with the same kinds of statements in the same
 * order. It is for machines without these programs, or with older ones, which refuse the server.
 * The sessions of the dump share one snapshot, so writers may continue. All objects are new, so
 * their oids, trigger transactions and files differ.
 */
export async function moveBySql(
  from: string,
  to: string,
  login: Login,
  sessions: Sessions,
): Promise<void> {
  const dump = await withSessions(from, inject('server'), sessions.dump, readDump);
  await withSessions(to, login, sessions.restore, (clients) => restore(dump, clients));
}

async function readDump(clients: readonly pg.Client[]): Promise<Dump> {
  const [leader, ...others] = clients;
  if (leader === undefined) throw new Error('expected at least one session');
  const begin = 'begin isolation level repeatable read read only';
  await leader.query(begin);
  const { rows } = await leader.query<{ id: string }>('select pg_export_snapshot() as id');
  for (const client of others) {
    await client.query(begin);
    await client.query(`set transaction snapshot '${rows[0]?.id ?? ''}'`);
  }
  const found = await leader.query<Omit<TableRows, 'rows'>>(filledTables);
  const locked = found.rows.map(({ table }) => table).join(', ');
  await leader.query(`lock table ${locked} in access share mode`);
  const statements = await readStatements(leader);
  const tables: TableRows[] = [];
  await share(clients, found.rows, async (client, { table, target }) => {
    const stream = client.query(copyTo(`copy ${target} to stdout`));
    tables.push({ table, target, rows: (await stream.toArray()) as Buffer[] });
  });
  return { statements, tables, sequences: await readSequences(leader) };
}

async function readSequences(client: pg.Client): Promise<string[]> {
  const sequences = await client.query<{ name: string }>(sequenceNames);
  const texts: string[] = [];
  for (const { name } of sequences.rows) {
    const { rows } = await client.query<{ text: string }>(
      `select format('select pg_catalog.setval(%L, %s, %L)', $1::text, last_value, is_called) as text
      from ${name}`,
      [name],
    );
    texts.push(...rows.map(({ text }) => text));
  }
  return texts;
}

async function restore(dump: Dump, clients: readonly pg.Client[]): Promise<void> {
  await runPhase(dump, clients, 'before data');
  await share(clients, dump.tables, async (client, { table, target, rows }) => {
    // Like pg_restore with several jobs: it changes the table's file.
    if (clients.length > 1) await client.query(`begin; truncate table only ${table}`);
    await pipeline(Readable.from(rows), client.query(copyFrom(`copy ${target} from stdin`)));
    if (clients.length > 1) await client.query('commit');
  });
  for (const text of dump.sequences) await clients[0]?.query(text);
  for (const phase of ['keys', 'triggers', 'foreign keys', 'after all'] as const) {
    await runPhase(dump, clients, phase);
  }
}

async function runPhase(
  { statements }: Dump,
  clients: readonly pg.Client[],
  phase: DumpStatement['phase'],
): Promise<void> {
  const lanes = new Map<string, string[]>();
  for (const { lane, text } of statements.filter((statement) => statement.phase === phase)) {
    lanes.set(lane, [...(lanes.get(lane) ?? []), text]);
  }
  await share(clients, [...lanes.values()], async (client, texts) => {
    for (const text of texts) await client.query(text);
  });
}

/** Each session takes the next item when it is free. */
async function share<Item>(
  clients: readonly pg.Client[],
  items: readonly Item[],
  work: (client: pg.Client, item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    clients.map(async (client) => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        await work(client, item);
      }
    }),
  );
}

async function withSessions<Result>(
  database: string,
  { user, password }: Login,
  count: number,
  work: (clients: readonly pg.Client[]) => Promise<Result>,
): Promise<Result> {
  const { host, port } = inject('server');
  const clients = Array.from(
    { length: count },
    () => new pg.Client({ host, port, user, password, database }),
  );
  try {
    for (const client of clients) {
      await client.connect();
      await client.query(settings);
    }
    return await work(clients);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** Settings of pg_dump and of its scripts. Above all, an empty search_path. */
const settings = `
  set search_path = '';
  set check_function_bodies = false;
  set client_min_messages = warning;
  set datestyle = 'ISO';
  set intervalstyle = 'postgres';
  set extra_float_digits = 3;
  set row_security = off`;

const filledTables = `
  select
    pg_class.oid::regclass::text as table,
    format('%s (%s)', pg_class.oid::regclass, string_agg(quote_ident(attname), ', ' order by attnum))
      as target
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  join pg_attribute on attrelid = pg_class.oid
  where relkind = 'r'
    and nspname !~ '^pg_'
    and nspname <> 'information_schema'
    and attnum > 0
    and not attisdropped
    and attgenerated = ''
  group by pg_class.oid
  order by 1`;

const sequenceNames = `
  select pg_class.oid::regclass::text as name
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'S' and nspname !~ '^pg_' and nspname <> 'information_schema'
  order by 1`;
