import type { Database } from '../../src/db/database.js';
import { jobs, type Job } from '../../src/jobs/job.js';
import { beginRound, type Outcome, type RefreshRequest } from '../../src/jobs/outcome.js';
import { refresh } from '../../src/statistics/refresh.js';

/** Runs jobs in this process, one after the other; by default all, like `refresh`. */
export async function runEachJob(
  database: Database,
  request: Partial<Omit<RefreshRequest, 'jobs'>> = {},
  chosen: readonly Job[] = jobs,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const job of chosen) {
    outcomes.push(
      await refresh(
        database,
        job,
        beginRound({ trigger: 'command', isManual: true, ...request, jobs: [job.name] }),
        { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000 },
      ),
    );
  }
  return outcomes;
}
