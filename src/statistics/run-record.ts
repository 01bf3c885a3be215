import type { Database } from '../db/database.js';
import { describeFailure } from '../db/sqlstate.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job, JobName } from '../jobs/job.js';
import type { Round } from '../jobs/outcome.js';
import { hasStatisticsSchema } from './installation.js';

/** The state of a run before its work: legacy, nothing to do, or recorded with an id. */
type RunStart = 'legacy' | 'unchanged' | RecordedRun;

interface RecordedRun {
  readonly id: string;
  /** Whether anything must be repaired before the work. */
  readonly needsRepair: boolean;
}

/**
 * Records the begin of a run in its own transaction, so that a killed run leaves a record. Checks
 * this job and the later ones of the round together: of those with nothing to do, only the time of
 * the check is written. Returns 'legacy' while the views scan the tables. Every run checks that,
 * because a migration may run at any time.
 */
export async function beginRun(
  database: Database,
  job: Job,
  round: Round,
  options: TransactionOptions,
): Promise<RunStart> {
  if (round.idle.has(job.name)) return 'unchanged';
  const jobs = round.jobs
    .slice(round.jobs.indexOf(job.name))
    .filter((name) => !round.idle.has(name));
  return database.write(options, async ({ query }) => {
    if (!(await hasStatisticsSchema(query))) return 'legacy';
    const [check] = await query<{ work: readonly JobName[] | null }>(
      'select registry_stats.check_jobs($1, $2) as work',
      [jobs, round.trigger],
    );
    const work = check?.work ?? null;
    if (work === null) return 'legacy';
    for (const name of jobs) if (!work.includes(name)) round.idle.add(name);
    if (!work.includes(job.name)) return 'unchanged';
    const [run] = await query<{ id: string | null; needsRepair: boolean }>(
      `select
        registry_stats.begin_run($1, $2) as id,
        exists (select from registry_stats.problems() where is_repairable) as "needsRepair"`,
      [job.name, round.trigger],
    );
    const id = run?.id ?? null;
    return id === null ? 'unchanged' : { id, needsRepair: run?.needsRepair === true };
  });
}

/**
 * Runs `work`, and records a failure or cancellation. On success, `work` records the end itself.
 */
export async function recordFailure<Result>(
  database: Database,
  id: string,
  options: TransactionOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await recordEnd(database, id, options, error);
    throw error;
  }
}

/** Records the end. An error here must not hide the error of the run. */
async function recordEnd(
  database: Database,
  id: string,
  { signal, statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
  error: unknown,
): Promise<void> {
  const isCancelled = signal?.aborted === true;
  const reason = isCancelled ? String(signal.reason) : describeFailure(error);
  await database
    .write({ statementTimeoutMs, lockTimeoutMs }, ({ query }) =>
      query('select registry_stats.finish_run($1, $2, $3)', [
        id,
        isCancelled ? 'cancelled' : 'failed',
        reason,
      ]),
    )
    .catch(() => undefined);
}
