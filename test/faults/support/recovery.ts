import { expect, vi } from 'vitest';
import { ownDifferences, wrongFigures, wrongHistory, wrongRollups } from '../../exactness/truth.js';
import { runCommand, type Program } from '../../support/program.js';
import { eventually } from '../../support/slow-job.js';
import type { TestDatabase } from '../../support/test-database.js';
import { makeWork } from './scene.js';
import { countCase } from './tally.js';

const longestRecovery = { timeout: 60_000, interval: 50 };

interface RecoveryOptions {
  /** How often the daemon may log each message. */
  readonly times?: number;
}

/**
 * Call it when the fault is gone. Makes new work and expects, within a minute, that a run of every
 * job succeeds, that the figures match the tables, and that no lock, session or unfinished run is
 * left. Ends the daemon.
 */
export async function expectRecovered(
  target: TestDatabase,
  daemon: Program,
  { times = 1 }: RecoveryOptions = {},
): Promise<void> {
  const begin = performance.now();
  await untilRefreshed(target);
  const recoverySeconds = (performance.now() - begin) / 1000;
  process.stdout.write(`${expect.getState().currentTestName}: ${recoverySeconds.toFixed(1)} s\n`);
  expect(floods(daemon, times)).toEqual([]);
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  await expectNothingLeft(target);
  const differences = await findDifferences(target);
  await countCase({ recoverySeconds, differences: differences.length });
  expect(differences).toEqual([]);
}

/** Waits until a later run of each job did the new work. */
async function untilRefreshed(target: TestDatabase): Promise<void> {
  const [begun] = await target.query<{ now: string }>('select clock_timestamp()::text as now');
  await makeWork(target);
  await vi.waitFor(async () => {
    const late = await target.query(
      `select name, outcome, reason from registry_stats.job
      where last_check <= $1::timestamptz
        or last_check is null
        or consecutive_failures > 0
        or registry_stats.jobs_with_work(array[name]) <> '{}'`,
      [begun?.now],
    );
    if (late.length > 0) throw new Error(`expected all jobs done, found ${JSON.stringify(late)}`);
  }, longestRecovery);
}

/** Returns messages that were logged more often than the state changed. */
function floods(daemon: Program, times: number): string[] {
  const counts = new Map<string, number>();
  for (const { level, msg } of daemon.lines) {
    if (level !== 'warn' && level !== 'error') continue;
    const kind = `${level}: ${msg.replace(/\d+/g, 'N')}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > times).map(([kind, n]) => `${n} × ${kind}`);
}

/** Expects no leftovers of ended programs. */
export async function expectNothingLeft({ query }: TestDatabase): Promise<void> {
  await eventually('the end of all sessions', async () => {
    const sessions = await query(
      `select from pg_stat_activity
      where datname = current_database()
        and application_name = 'registry-stats'
        and state <> 'idle'`,
    );
    return sessions.length === 0;
  });
  expect(
    await query(
      `select objid, pid from pg_locks
      where locktype = 'advisory'
        and classid = 1919247220
        and database = (select oid from pg_database where datname = current_database())`,
    ),
  ).toEqual([]);
  expect(await query('select * from registry_stats.run where outcome is null')).toEqual([]);
}

/** Compares all figures with the tables, by the command and by our own full scans. */
export async function findDifferences({ query, env }: TestDatabase): Promise<unknown[]> {
  const verified = await runCommand(['verify', '--json'], { env });
  expect(verified.stderr).not.toContain('error');
  const { differences } = JSON.parse(verified.stdout) as { differences: unknown[] };
  expect(verified.code).toBe(differences.length === 0 ? 0 : 11);
  return [
    ...differences,
    ...(await ownDifferences(query)),
    ...(await wrongFigures(query, 'public.')),
    ...(await wrongRollups(query)),
    ...(await wrongHistory(query)),
  ];
}
