import { jobNames } from '../../src/jobs/job.js';
import { loadCsv } from './load-csv.js';
import type { LogLine, Program } from './program.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/** The schedule never rings during a test. */
export const noSchedule = { REFRESH_SCHEDULE: '0 0 29 2 *' };
export const everySecond = { REFRESH_SCHEDULE: '* * * * * *' };

/** Job, outcome and reason of one run, as logged. */
export type Run = readonly (string | undefined)[];

/** A migrated database with the fixtures in it. */
export async function databaseWithRows(): Promise<TestDatabase> {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  return target;
}

export function runsOf(lines: readonly LogLine[], trigger: string): Run[] {
  return lines
    .filter((line) => line.outcome !== undefined && line.trigger === trigger)
    .map(({ job, outcome, reason }) => [job, outcome, reason]);
}

/** Waits for so many ended runs of each job, and returns all with this trigger. */
export function untilRuns(daemon: Program, trigger: string, times = 1): Promise<Run[]> {
  return daemon.until(`${times} runs by ${trigger}`, () => {
    const runs = runsOf(daemon.lines, trigger);
    return runs.length >= times * jobNames.length && runs;
  });
}

export function messages(program: Program, level?: string): string[] {
  const lines = program.lines.filter((line) => level === undefined || line.level === level);
  return lines.map(({ msg }) => msg);
}
