import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.js';
import { readOverview, type Overview } from '../statistics/overview.js';

/** What the database said to a scrape; `overview` is undefined in the state of migration 001. */
export type Answer =
  { readonly isUp: true; readonly overview: Overview | undefined } | { readonly isUp: false };

/** Scrapes of several Prometheus servers in one second cost one read. */
const cachedForMs = 1_000;
/** Far below the 10 s that Prometheus waits: a scrape must answer while the database does not. */
const patienceMs = 1_500;
/** Pending changes are counted up to here: more is an alarm, not a figure. */
export const pendingLimit = 1_000_000;

/**
 * Reads, for a scrape, what the database knows. Never throws and never waits for long. One read at a
 * time, whatever hangs: scrapes must not use up the connections that the jobs need.
 */
export function createOverviewReader(context: Pick<Context, 'database'>): () => Promise<Answer> {
  let reading: Promise<Answer> | undefined;
  let last: { readonly answer: Answer; readonly at: number } | undefined;

  const read = async (): Promise<Answer> => {
    const answer = await ask(context);
    last = { answer, at: performance.now() };
    reading = undefined;
    return answer;
  };

  return async () => {
    if (last !== undefined && performance.now() - last.at < cachedForMs) return last.answer;
    reading ??= read();
    const waiting = new AbortController();
    const late = sleep(patienceMs, { isUp: false } as const, { signal: waiting.signal });
    try {
      return await Promise.race([reading, late]);
    } finally {
      waiting.abort();
      late.catch(() => undefined);
    }
  };
}

async function ask({ database }: Pick<Context, 'database'>): Promise<Answer> {
  const options = { statementTimeoutMs: patienceMs, lockTimeoutMs: patienceMs };
  try {
    const overview = await database.readSnapshot(options, ({ query }) =>
      readOverview({ read: query }, { pendingLimit }),
    );
    return { isUp: true, overview };
  } catch {
    // Away, refusing or too slow: the log has it from whatever needs the database.
    return { isUp: false };
  }
}
