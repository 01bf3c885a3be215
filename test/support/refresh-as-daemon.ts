import type { Database } from '../../src/db/database.js';
import { jobNamed, type JobName } from '../../src/jobs/job.js';
import { beginRound, type Outcome } from '../../src/jobs/outcome.js';
import { refresh } from '../../src/statistics/refresh.js';

/** Runs one job in this process, as the schedule of the daemon does. */
export function refreshAsDaemon(
  { database }: { readonly database: Database },
  name: JobName,
  lockTimeoutMs = 5_000,
): Promise<Outcome> {
  const job = jobNamed(name);
  return refresh(
    database,
    job,
    beginRound({ trigger: 'schedule', jobs: [name], isManual: false }),
    { statementTimeoutMs: 10_000, lockTimeoutMs },
  );
}
