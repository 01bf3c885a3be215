import { describeFailure } from '../db/sqlstate.js';
import { isIncremental } from '../statistics/installation.js';
import { recordVerification, verify } from '../statistics/verify.js';
import type { DaemonContext } from './daemon-context.js';

/**
 * Returns the function for VERIFY_SCHEDULE. It runs one verification at a time, and none in the
 * legacy state.
 */
export function createVerification(context: DaemonContext): () => void {
  let isRunning = false;
  return () => {
    if (isRunning) return;
    isRunning = true;
    void verifyFigures(context).finally(() => (isRunning = false));
  };
}

async function verifyFigures({ database, events, log, signal }: DaemonContext): Promise<void> {
  const start = performance.now();
  try {
    const comparison = await database.keepOpen(async () => {
      if (!(await isIncremental(database))) return undefined;
      const found = await verify(database, { signal });
      await recordVerification(database, found.count, (error) => {
        const reason = describeFailure(error);
        log.warn({ reason }, `the verification could not be recorded: ${reason}`);
      });
      return found;
    });
    if (comparison === undefined) return;
    events.emit({ type: 'verified', comparison, durationMs: performance.now() - start });
  } catch (error) {
    if (!signal.aborted) events.emit({ type: 'verify-failed', error });
  }
}
