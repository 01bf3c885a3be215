import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { idleStateSql, watchTransaction, type QueryBackend } from '../src/db/watchdog.js';
import { queryBackend, cancel } from '../src/db/backend.js';
import { begin, type BackendTransaction } from '../src/db/begin.js';
import { createTestDatabase } from './support/test-database.js';

const options = { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000 };
const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('a watched transaction', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /**
   * Returns whether the connection is closed within ten minutes of these responses. The last
   * response repeats.
   */
  async function isDisconnected(
    ...responses: (Awaited<ReturnType<QueryBackend>> | Error)[]
  ): Promise<boolean> {
    const destroy = vi.fn();
    const client = { connection: { stream: { destroy } } } as unknown as pg.ClientBase;
    let checks = 0;
    const endWatch = watchTransaction(client, () => {
      const response = responses[Math.min(checks++, responses.length - 1)] ?? [];
      return response instanceof Error ? Promise.reject(response) : Promise.resolve(response);
    });
    await vi.advanceTimersByTimeAsync(600_000);
    endWatch();
    expect(checks).toBeGreaterThan(1);
    return destroy.mock.calls.length > 0;
  }

  const active = [{ idleState: null }];

  test.each([
    ['is active, or hidden from its role', [active]],
    [
      'is idle in a different state at each check',
      [[{ idleState: 'a' }], [{ idleState: 'b' }], active],
    ],
    ['cannot be checked for a moment', [refused, refused, refused, active]],
    ['uses a pooler without a free connection for the check', [new Error('Query read timeout')]],
    [
      'is on a server that refuses the check',
      [Object.assign(new Error('full'), { code: '53300' })],
    ],
  ])('continues when it %s', async (_when, responses) => {
    expect(await isDisconnected(...responses)).toBe(false);
  });

  test.each([
    ['has ended on the server', [[{ idleState: 'ended' }]]],
    ['has no backend any more', [[]]],
    ['stays in the same idle state', [active, [{ idleState: 'a' }]]],
    ['cannot be checked for longer', [refused]],
  ])('is disconnected when it %s', async (_when, responses) => {
    expect(await isDisconnected(...responses)).toBe(true);
  });
});

test('the idle state distinguishes active, idle, ended and hidden transactions', async () => {
  const target = await createTestDatabase('empty');
  const { connection } = target.database.options;
  const readIdleState = async (transaction: BackendTransaction): Promise<unknown> => {
    const [backend] = await queryBackend(connection, transaction, idleStateSql);
    return backend?.['idleState'];
  };
  const session = await target.session();

  const transaction = await begin(session, 'read only', options);
  expect(await readIdleState(transaction)).toMatch(/^\d{4}-/);
  const sleeping = session.query('select pg_sleep(60)').catch(() => 'cancelled');
  await vi.waitFor(async () => {
    expect(await readIdleState(transaction)).toBeNull();
  });
  await cancel(connection, transaction);
  expect(await sleeping).toBe('cancelled');
  await session.query('rollback');
  expect(await readIdleState(transaction)).toBe('ended');

  await session.query('set track_activities = off');
  const hidden = await begin(session, 'read only', options);
  expect(await readIdleState(hidden)).toBeNull();
  await expect(cancel(connection, hidden)).rejects.toThrow('does not show this role');
});
