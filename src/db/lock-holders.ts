import type pg from 'pg';
import { begin } from './begin.js';
import { readQuery } from './query-file.js';
import { errorCodeOf, sqlstate } from './sqlstate.js';
import { responseWithin } from './watchdog.js';

const options = { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 };

/**
 * Adds to a lock timeout, as the server's detail, who holds such locks now. Leaves other errors, and
 * those whose function has named the holders. Call it after the rollback. Rejects if the server does
 * not respond.
 */
export async function addLockHolders(
  error: unknown,
  client: pg.ClientBase,
  { waitedMs, timeoutMs }: { readonly waitedMs: number; readonly timeoutMs: number },
): Promise<void> {
  if (errorCodeOf(error) !== sqlstate.lockNotAvailable) return;
  const failure = error as { detail?: unknown };
  if (typeof failure.detail === 'string') return;
  const holders = await responseWithin(timeoutMs, client, readHolders(client, waitedMs));
  if (holders !== null) failure.detail = holders;
}

async function readHolders(client: pg.ClientBase, waitedMs: number): Promise<string | null> {
  const text = await readQuery('lock_holders');
  try {
    await begin(client, 'read only', options);
    const { rows } = await client.query<{ holders: string | null }>(text, [waitedMs]);
    return rows[0]?.holders ?? null;
  } finally {
    await client.query('rollback');
  }
}
