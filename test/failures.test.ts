import { expect, test } from 'vitest';
import { explainDatabaseError } from '../src/db/explain.js';
import { describeFailure } from '../src/db/sqlstate.js';
import { createEvents } from '../src/daemon/events.js';
import { logEvents } from '../src/daemon/log-events.js';
import { describeOutcome } from '../src/jobs/outcome.js';
import type { Logger } from '../src/log.js';
import { createOwnedDatabase } from './support/owned-database.js';
import { runCommand } from './support/program.js';
import { createTestDatabase } from './support/test-database.js';
import { writeOfEachTable } from './exactness/two-sessions.js';

const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
const described = 'no (P0001); detail: first line; second line; hint: try later';

/** Returns a server error with detail and hint. */
async function serverError(): Promise<unknown> {
  const { database } = await createTestDatabase('baseline');
  const raise = `do $$ begin
    raise exception 'no' using detail = E'first line\n  second line', hint = 'try later';
  end $$`;
  return database
    .write(timeouts, ({ query }) => query(raise))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

test("a failure is described with the server's detail and hint, on one line", async () => {
  expect(describeFailure(await serverError())).toBe(described);
});

test('a failed run has detail and hint in its reason and in its log line', async () => {
  const error = await serverError();
  expect(describeOutcome({ outcome: 'failed', error })).toBe(described);

  const lines: unknown[] = [];
  const events = createEvents();
  const write = (fields: unknown, message: unknown): void => void lines.push([fields, message]);
  events.observe(logEvents({ error: write } as unknown as Logger));
  events.emit({ type: 'verify-failed', error });
  expect(lines).toEqual([
    [
      { event: 'verify-failed', reason: described },
      `the statistics could not be verified: ${described}`,
    ],
  ]);
});

test('an AppError for a server error has detail and hint once', () => {
  const target = { host: 'db', port: 5432, name: 'registry', user: 'daemon' };
  const closed = Object.assign(new Error('too many connections'), {
    code: '53300',
    detail: 'all of them',
    hint: 'end some',
  });
  const explained = explainDatabaseError(closed, target, { isConnecting: true });

  expect(describeFailure(explained)).toBe(
    'expected PostgreSQL at db:5432, found: too many connections (53300); detail: all of them; ' +
      'hint: end some',
  );
});

test('errors without detail and hint, and other errors, are unchanged', () => {
  expect(describeFailure(new Error('plain'))).toBe('plain');
  expect(describeFailure(Object.assign(new Error('x'), { detail: '', hint: 7 }))).toBe('x');
  expect(describeFailure('text')).toBe('text');
});

test('a lock timeout names the session that holds the lock', async () => {
  const { database, session } = await createTestDatabase('migrated');
  const holder = await session();
  await holder.query('begin; lock table public.generic_files in access exclusive mode');
  const reading = database.write({ ...timeouts, lockTimeoutMs: 100 }, ({ query }) =>
    query('select count(*) from public.generic_files'),
  );
  const error: unknown = await reading.catch((reason: unknown) => reason);

  expect(describeFailure(error)).toMatch(
    /^canceling statement due to lock timeout \(55P03\); detail: process \d+ of role \w+ holds AccessExclusiveLock on public\.generic_files, its transaction began [\d-]+ [\d:]+ UTC$/,
  );
});

test('a lock timeout of a change to a table names a long transaction with a weak lock', async () => {
  const { database, session } = await createTestDatabase('migrated');
  const reader = await session();
  await reader.query('begin; select count(*) from public.generic_files');
  const locking = database.write({ ...timeouts, lockTimeoutMs: 200 }, ({ query }) =>
    query('lock table public.generic_files in access exclusive mode'),
  );
  const error: unknown = await locking.catch((reason: unknown) => reason);

  expect(describeFailure(error)).toContain('holds AccessShareLock on public.generic_files');
});

test('a full disk is reported with the database and its server', () => {
  const target = { host: 'db', port: 5432, name: 'registry', user: 'daemon' };
  const full = Object.assign(
    new Error('could not extend file "base/5/1": No space left on device'),
    {
      code: '53100',
      hint: 'Check free disk space.',
    },
  );

  expect(explainDatabaseError(full, target, { isConnecting: false })).toMatchObject({
    code: 'DATABASE_FULL',
    message:
      'the server of database "registry" at db:5432 has no disk space left: could not extend file ' +
      '"base/5/1": No space left on device (53100); hint: Check free disk space.',
    hint: 'free space on the disk of the server, or enlarge it; the next run does the work',
  });
});

test('an owner that may not create temporary tables is reported with the grant', async () => {
  const { target, owner, daemon } = await createOwnedDatabase();
  await target.query(`revoke temporary on database ${target.name} from public`);
  await target.query(writeOfEachTable);
  const { code, stdout } = await runCommand(['refresh'], { env: daemon.env });

  expect(code).toBe(8);
  expect(stdout).toContain(
    `role ${owner.role} may not create the temporary table of a concurrent refresh (42501); ` +
      `hint: grant temporary on database ${target.name} to ${owner.role};`,
  );
});
