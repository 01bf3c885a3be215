import path from 'node:path';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/db/database.js';
import { jobs } from '../../src/jobs/job.js';
import { beginRound } from '../../src/jobs/outcome.js';
import { refresh } from '../../src/statistics/refresh.js';
import { sources } from '../../src/statistics/installation.js';
import { verify } from '../../src/statistics/verify.js';
import { expectLiveTruth, expectTruth, writeOfEachTable } from '../exactness/two-sessions.js';
import { loadCsv } from '../support/load-csv.js';
import { moveBySql, type Sessions } from '../support/pg-dump-stand-in.js';
import { hasTools, runTool, type Login } from '../support/postgres-tools.js';
import { temporaryDirectory } from '../support/program.js';
import { startLoad } from '../support/registry-load.js';
import { dumpSchema } from '../support/schema-dump.js';
import { openTestDatabase } from '../support/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

interface Move {
  /** Uses PostgreSQL's own programs. */
  readonly byTools: (from: string, to: string, file: string, login: Login) => Promise<void>;
  /** The number of sessions of the stand-in, if the programs are missing. */
  readonly sessions: Sessions;
}

/** The ways to dump and restore; those that can use three processes do. */
const moves: Readonly<Record<string, Move>> = {
  'plain SQL': {
    byTools: async (from, to, file, login) => {
      await runTool('pg_dump', ['--no-owner', '--no-privileges', `--file=${file}`], from);
      await runTool('psql', ['--quiet', '--set=ON_ERROR_STOP=1', `--file=${file}`], to, login);
    },
    sessions: { dump: 1, restore: 1 },
  },
  'a folder': {
    byTools: async (from, to, file, login) => {
      await runTool('pg_dump', ['--format=directory', '--jobs=3', `--file=${file}`], from);
      await runTool('pg_restore', [...restoring, '--jobs=3', file], to, login);
    },
    sessions: { dump: 3, restore: 3 },
  },
  'the custom format': {
    byTools: async (from, to, file, login) => {
      await runTool('pg_dump', ['--format=custom', `--file=${file}`], from);
      await runTool('pg_restore', [...restoring, '--jobs=3', file], to, login);
    },
    sessions: { dump: 1, restore: 3 },
  },
};
const restoring = ['--no-owner', '--no-privileges', '--exit-on-error'];

/** Runs all jobs like the daemon. Returns the reported rebuilds. */
async function runAll(database: Database): Promise<string[]> {
  const reported: string[] = [];
  for (const job of jobs) {
    const outcome = await refresh(
      database,
      job,
      beginRound({ trigger: 'schedule', jobs: [job.name], isManual: false }),
      { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 },
    );
    if (outcome.outcome === 'refreshed') reported.push(...outcome.detail.split('; '));
  }
  return reported.filter((detail) => detail.includes('rebuilt'));
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value, found none');
  return value;
}

let created = 0;

/** Creates an ordinary role. Call it before creating the database that it will own. */
async function createRole(): Promise<Login> {
  const { prefix, ...server } = inject('server');
  const login = { user: `${prefix}_owner_${String(++created)}`, password: 'restored' };
  const admin = new pg.Client({ ...server, database: 'postgres' });
  await admin.connect();
  onTestFinished(async () => {
    // A failed test may keep the database it owns.
    await admin.query(`drop role ${login.user}`).catch(() => undefined);
    await admin.end();
  });
  await admin.query(`create role ${login.user} login password '${login.password}'`);
  return login;
}

/** Opens the restored database as its owner. */
function openAs({ user, password }: Login, { name }: TestDatabase): Database {
  const { host, port } = inject('server');
  const database = openTestDatabase({ host, port, user, password }, name);
  onTestFinished(() => database.close());
  return database;
}

/** Each transaction of a writer leaves three files and three events of one object. */
const tornWrites = `
  with written as (
    select identifier as name, 1 as number from public.intellectual_objects
    union all
    select left(identifier, -1), 0 from public.generic_files
    union all
    select left(identifier, -1), 0 from public.premis_events
  )

  select name, sum(number), count(*) from written
  where name like 'load %'
  group by name
  having (sum(number), count(*)) <> (1, 7)`;

test.for([
  { way: 'plain SQL', owner: 'another' },
  { way: 'a folder', owner: 'the same' },
  { way: 'the custom format', owner: 'another' },
])(
  'through $way to $owner owner, while writers continue: rebuilt once, correct, and captured',
  async ({ way, owner }, { annotate }) => {
    const from = await createTestDatabase();
    await loadCsv(from.database);
    await runAll(from.database);
    const login = owner === 'another' ? await createRole() : inject('server');
    const to = await createTestDatabase('empty');
    await to.query(`alter database ${to.name} owner to ${login.user}`);

    const load = await startLoad(from.session);
    await load.progress();
    const move = defined(moves[way]);
    if (await hasTools(from)) {
      const file = path.join(await temporaryDirectory(), 'dump');
      await move.byTools(from.name, to.name, file, login);
    } else {
      await annotate('no pg_dump for this server: moved by its stand-in');
      await moveBySql(from.name, to.name, login, move.sessions);
    }
    await load.progress();
    expect(await load.end()).toEqual({ readers: [], writers: [], callers: [] });

    expect(await dumpSchema(to)).toBe(await dumpSchema(from));
    expect(await to.query(tornWrites)).toEqual([]);
    // Before the first run, so these are counted too.
    await to.query(writeOfEachTable);
    const database = openAs(login, to);
    expect(await runAll(database)).toEqual(
      sources.map(
        (source) =>
          `${source} rebuilt: the rollups may have been written outside registry-stats, or the database was restored`,
      ),
    );
    expect((await verify(database)).differences).toEqual([]);
    await expectTruth(to);
    await to.query(`update public.work_items set action = 'Captured'`);
    await to.query(`delete from public.generic_files where identifier like 'new%'`);
    await expectLiveTruth(to);
    expect(await runAll(database)).toEqual([]);
    await expectTruth(to);
  },
);
