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

  /** Whether its connection is ended within ten minutes of such answers; the last one repeats. */
  async function isHungUp(
    ...answers: (Awaited<ReturnType<QueryBackend>> | Error)[]
  ): Promise<boolean> {
    const destroy = vi.fn();
    const client = { connection: { stream: { destroy } } } as unknown as pg.ClientBase;
    let looks = 0;
    const endWatch = watchTransaction(client, () => {
      const answer = answers[Math.min(looks++, answers.length - 1)] ?? [];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    });
    await vi.advanceTimersByTimeAsync(600_000);
    endWatch();
    expect(looks).toBeGreaterThan(1);
    return destroy.mock.calls.length > 0;
  }

  const atWork = [{ idleState: null }];

  test.each([
    ['is at work, or not shown to its role', [atWork]],
    ['rests for a moment, each time another', [[{ idleState: 'a' }], [{ idleState: 'b' }], atWork]],
    ['cannot be asked about for a moment', [refused, refused, refused, atWork]],
    ['has a pooler before it with no place for a question', [new Error('Query read timeout')]],
    ['is on a server that refuses to say', [Object.assign(new Error('full'), { code: '53300' })]],
  ])('goes on when it %s', async (_when, answers) => {
    expect(await isHungUp(...answers)).toBe(false);
  });

  test.each([
    ['has ended on the server', [[{ idleState: 'ended' }]]],
    ['has no backend any more', [[]]],
    ['rests in one and the same state', [atWork, [{ idleState: 'a' }]]],
    ['cannot be asked about for longer', [refused]],
  ])('is given up when it %s', async (_when, answers) => {
    expect(await isHungUp(...answers)).toBe(true);
  });
});

test('the server tells work from rest, from an end, and from what it does not show', async () => {
  const target = await createTestDatabase('empty');
  const { connection } = target.database.options;
  const readIdleState = async (place: BackendTransaction): Promise<unknown> => {
    const [backend] = await queryBackend(connection, place, idleStateSql);
    return backend?.['idleState'];
  };
  const session = await target.session();

  const place = await begin(session, 'read only', options);
  expect(await readIdleState(place)).toMatch(/^\d{4}-/);
  const sleeping = session.query('select pg_sleep(60)').catch(() => 'cancelled');
  await vi.waitFor(async () => {
    expect(await readIdleState(place)).toBeNull();
  });
  await cancel(connection, place);
  expect(await sleeping).toBe('cancelled');
  await session.query('rollback');
  expect(await readIdleState(place)).toBe('ended');

  await session.query('set track_activities = off');
  const hidden = await begin(session, 'read only', options);
  expect(await readIdleState(hidden)).toBeNull();
  await expect(cancel(connection, hidden)).rejects.toThrow('does not show this role');
});
