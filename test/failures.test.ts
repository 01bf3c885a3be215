import { expect, test } from 'vitest';
import { explainDatabaseError } from '../src/db/explain.js';
import { describeFailure } from '../src/db/sqlstate.js';
import { createEvents } from '../src/daemon/events.js';
import { logEvents } from '../src/daemon/log-events.js';
import { describeOutcome } from '../src/jobs/outcome.js';
import type { Logger } from '../src/log.js';
import { createTestDatabase } from './support/test-database.js';

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
    [{ reason: described }, `the statistics could not be verified: ${described}`],
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
