import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { assertEqual, figures } from './figures.js';
import type { Pair } from './pair.js';
import type { Subject } from './recorder.js';
import { assertExact, callFunctions, rebuild } from './refresh.js';
import { captureTriggers, enableOnly } from './triggers.js';

/** One way to keep statistics while others write. */
export interface Peer {
  readonly subject: Subject;
  /** All peers are off before. */
  on(): Promise<void>;
  off(): Promise<void>;
  /** Called once a second while others write. */
  refresh?(): Promise<void>;
  /** Fails if the figures differ from the tables. Called before `off`. */
  assertExact?(): Promise<void>;
}

/** Returns all peers of this server, off. pg_ivm is among them if the server has it. */
export async function createPeers(pair: Pair): Promise<Peer[]> {
  const { client, name } = pair.incremental;
  await client.query(await readFile(new URL('row-triggers.sql', import.meta.url), 'utf8'));
  await enableOnly(client);
  const peers = [
    { subject: 'baseline', on: nothing, off: nothing } as const,
    captured(client),
    refreshed(pair),
    rowTriggers(client),
  ];
  return (await createIvm(client, name)) ? [...peers, ivm(client)] : peers;
}

const nothing = () => Promise.resolve();

/** Writers append deltas. Nobody folds them meanwhile. */
function captured(client: pg.Client): Peer {
  return {
    subject: 'incremental',
    on: () => enableOnly(client, captureTriggers),
    off: async () => {
      await enableOnly(client);
      await client.query('select registry_stats.fold()');
    },
  };
}

/** Capture, with views that are never older than about a second. */
function refreshed(pair: Pair): Peer {
  const { incremental } = pair;
  return {
    subject: 'refreshed',
    on: async () => {
      await enableOnly(incremental.client, captureTriggers);
      // The triggers were off, so the rollups are untrusted.
      await rebuild(incremental);
    },
    off: () => enableOnly(incremental.client),
    refresh: () => callFunctions(incremental),
    assertExact: async () => {
      await callFunctions(incremental);
      await assertExact(pair);
    },
  };
}

function rowTriggers(client: pg.Client): Peer {
  const schema = 'bench_rows';
  return {
    subject: 'row triggers',
    on: async () => {
      for (const { table, columns, query } of figures) {
        await client.query(`truncate ${schema}.${table}`);
        await client.query(`insert into ${schema}.${table} (${columns}) ${query}`);
      }
      await enableOnly(client, 'bench_');
    },
    off: () => enableOnly(client),
    assertExact: () => assertEqual(client, schema),
  };
}

const ivmSchema = 'bench_ivm';

/** Returns false if the server does not have pg_ivm. */
async function createIvm(client: pg.Client, database: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_available_extensions where name = 'pg_ivm'`,
  );
  if (rowCount === 0) return false;
  await client.query('create extension pg_ivm');
  await client.query(`create schema ${ivmSchema}`);
  // Its manual asks for this. It takes effect in new sessions.
  await client.query(`alter database ${database} set session_preload_libraries = 'pg_ivm'`);
  for (const { table, query } of figures) {
    await client.query('select pgivm.create_immv($1, $2)', [`${ivmSchema}.${table}`, query]);
  }
  await populateIvm(client, false);
  return true;
}

function ivm(client: pg.Client): Peer {
  return {
    subject: 'pg_ivm',
    on: () => populateIvm(client, true),
    off: () => populateIvm(client, false),
    assertExact: () => assertEqual(client, ivmSchema),
  };
}

/** Fills the views and creates their triggers, or empties them and drops the triggers. */
async function populateIvm(client: pg.Client, isPopulated: boolean): Promise<void> {
  for (const { table } of figures) {
    await client.query('select pgivm.refresh_immv($1, $2)', [`${ivmSchema}.${table}`, isPopulated]);
  }
}
