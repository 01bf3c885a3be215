import { eventually } from '../../support/slow-job.js';
import type { TestDatabase } from '../../support/test-database.js';

/** Returns the run in progress, if its begin is recorded. */
export async function heldRun({ query }: TestDatabase): Promise<string | undefined> {
  const [run] = await query<{ id: string }>(
    'select id from registry_stats.run where outcome is null',
  );
  return run?.id;
}

/** Returns the outcome and reason of a run. */
export async function recordOf({ query }: TestDatabase, id: string): Promise<unknown> {
  const [run] = await query('select outcome, reason from registry_stats.run where id = $1', [id]);
  return run;
}

/** The server checks for a lost client every few seconds. */
export async function untilBackendEnds({ query }: TestDatabase, pid: number): Promise<void> {
  await eventually('the end of the backend', async () => {
    return (await query('select from pg_stat_activity where pid = $1', [pid])).length === 0;
  });
}
