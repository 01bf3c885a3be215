import { describeFailure } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { isIncremental } from '../statistics/installation.js';
import { recordVerification } from '../statistics/verify.js';
import { verifyFrom } from '../statistics/verify-on-replica.js';
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

async function verifyFigures(context: DaemonContext): Promise<void> {
  // Read once: a reload replaces both pools.
  const { database, replica, events, log, signal } = context;
  const start = performance.now();
  try {
    const comparison = await keepOpen({ database, replica }, async () => {
      if (!(await isIncremental(database))) return undefined;
      const found = await verifyFrom({ database, replica }, { signal });
      await recordVerification(database, found.count, (error) => {
        const reason = describeFailure(error);
        log.warn({ reason }, `the verification could not be recorded: ${reason}`);
      });
      return found;
    });
    if (comparison === undefined) return;
    events.emit({ type: 'verified', comparison, durationMs: performance.now() - start });
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof AppError && error.code === 'REPLICA_UNUSABLE') {
      events.emit({ type: 'verify-missed', error });
    } else {
      events.emit({ type: 'verify-failed', error });
    }
  }
}

/** Runs `work`. Pools that a reload retires stay open until it ends. */
function keepOpen<Result>(
  { database, replica }: Pick<DaemonContext, 'database' | 'replica'>,
  work: () => Promise<Result>,
): Promise<Result> {
  return database.keepOpen(() => (replica === undefined ? work() : replica.keepOpen(work)));
}
