import { expect, test } from 'vitest';
import { sources } from '../../src/statistics/installation.js';
import { finalDifferences } from '../exactness/final-differences.js';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon, type Program } from '../support/program.js';
import { everySecond, messages } from '../support/runs.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addSharedRows, playPhase, type PhaseResult } from './crowd/crowd.js';
import { renderLatencies } from './crowd/latencies.js';

/** `npm run test:crowd` sets ten minutes. */
const seconds = Number(process.env['SECONDS'] ?? 8);
/** The length of each phase that the crowd is compared with. */
const secondsBeside = Math.max(3, seconds / 10);
const daemonCount = 8;

test(
  `eight daemons, two callers and three writers share a database for ${String(seconds)} s`,
  { timeout: 120_000 + (seconds + 3 * secondsBeside) * 1_500 },
  async () => {
    const target = await createTestDatabase();
    await loadCsv(target.database);
    const shared = await addSharedRows(target);
    const play = (name: string, length: number, hasCallers = false) =>
      playPhase(target, { name, seconds: length, hasCallers }, shared);

    const before = await play('no daemon', secondsBeside);
    const daemons = await startDaemons(target);
    const beside = await play('eight daemons', secondsBeside);
    const crowd = await play('and callers', seconds, true);
    await stopDaemons(daemons);
    // Other load on the machine shows as a difference between two equal phases.
    const after = await play('no daemon again', secondsBeside);
    const figures = await finalDifferences(target.query);
    const deadlocks = await countDeadlocks(target);

    const phases = [before, beside, crowd, after];
    report(daemons, phases, deadlocks);
    expect(phases.flatMap(({ scene }) => scene.problems)).toEqual([]);
    expect(deadlocks).toBe(0);
    for (const daemon of daemons) {
      expect([...messages(daemon, 'warn'), ...messages(daemon, 'error')]).toEqual([]);
    }
    expect(await badRuns(target)).toEqual([]);
    expect(figures).toEqual([]);
    const { counts } = crowd.scene;
    expect(counts['snapshots checked']).toBeGreaterThan(0);
    expect(counts['tables trusted in them']).toBe(
      Number(counts['snapshots checked']) * sources.length,
    );
  },
);

async function startDaemons({ env }: TestDatabase): Promise<Program[]> {
  const daemons = await Promise.all(
    Array.from({ length: daemonCount }, () => startDaemon({ env: { ...env, ...everySecond } })),
  );
  await Promise.all(daemons.map((daemon) => daemon.untilLine('started;')));
  return daemons;
}

async function stopDaemons(daemons: readonly Program[]): Promise<void> {
  for (const daemon of daemons) daemon.kill('SIGTERM');
  for (const daemon of daemons) expect(await daemon.exited()).toEqual({ code: 0, signal: null });
}

/** Sessions report their statistics when they end, so this count is complete. */
async function countDeadlocks({ query }: TestDatabase): Promise<number> {
  const [row] = await query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  );
  return Number(row?.deadlocks);
}

function badRuns({ query }: TestDatabase): Promise<unknown[]> {
  return query(
    `select * from registry_stats.run
    where outcome is null or outcome in ('failed', 'crashed', 'cancelled')`,
  );
}

function report(
  daemons: readonly Program[],
  phases: readonly PhaseResult[],
  deadlocks: number,
): void {
  const counts: Record<string, number> = {};
  const add = (what: string, count: number): void => {
    counts[what] = (counts[what] ?? 0) + count;
  };
  for (const { scene } of phases) {
    for (const [what, count] of Object.entries(scene.counts)) add(what, count);
  }
  for (const { job, outcome, reason } of daemons.flatMap(({ lines }) => lines)) {
    if (outcome === undefined) continue;
    add(`${String(job)}: ${outcome === 'skipped' ? `skipped, ${String(reason)}` : outcome}`, 1);
  }
  const complaints = daemons.flatMap((daemon) => [
    ...messages(daemon, 'warn'),
    ...messages(daemon, 'error'),
  ]);
  const lines = [
    phases.map(({ phase }) => `${phase.name}: ${String(phase.seconds)} s`).join('; '),
    `deadlocks: ${String(deadlocks)}`,
    `warnings and errors of the daemons: ${String(complaints.length)}`,
    ...Object.entries(counts)
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([what, count]) => `  ${what}: ${String(count)}`),
    renderLatencies(phases),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
