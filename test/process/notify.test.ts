import { expect, test } from 'vitest';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, everySecond, messages, untilRuns } from '../support/runs.js';
import { fastUpdateCounts, replaceUpdateCounts } from '../support/slow-job.js';
import { createTestDatabase } from '../support/test-database.js';
import { secretPath, startReceiver } from '../support/webhook-receiver.js';

const history = 'populate_all_historical_deposit_stats';

function countRuns(daemon: Program, job: string, outcome: string): number {
  return daemon.lines.filter((line) => line.job === job && line.outcome === outcome).length;
}

test('a job that fails and recovers is reported once each, and the log never shows the URL', async () => {
  const target = await databaseWithRows();
  await replaceUpdateCounts(target, `raise exception 'no, %', '${target.env['DB_PASSWORD']}';`);
  const receiver = await startReceiver();
  const settings = { ...everySecond, NOTIFY_URL: receiver.url, LOG_LEVEL: 'trace' };
  const daemon = await startDaemon({ env: { ...target.env, ...settings } });
  await daemon.until('three failures', () => countRuns(daemon, 'update_counts', 'failed') >= 3);
  await fastUpdateCounts(target);
  await daemon.untilLine('notification sent: update_counts is good');

  expect(await receiver.changes(2)).toEqual([
    ['update_counts', 'failing'],
    ['update_counts', 'good'],
  ]);
  expect(receiver.deliveries[0]?.body['sentence']).toContain('update_counts failed: no, ********');
  expect(daemon.stdout + daemon.stderr).not.toContain(secretPath);
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
});

test('two daemons on one database report each change once', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const holder = await target.session();
  await holder.query('begin; lock table public.generic_files in access exclusive mode');
  const receiver = await startReceiver();
  const settings = {
    ...everySecond,
    NOTIFY_URL: receiver.url,
    LOCK_TIMEOUT: '200ms',
    RETRY_ATTEMPTS: '0',
  };
  const daemons = await Promise.all(
    [1, 2].map(() => startDaemon({ env: { ...target.env, ...settings } })),
  );
  for (const daemon of daemons) {
    await daemon.until('two failures', () => countRuns(daemon, history, 'failed') >= 2);
  }
  await holder.query('commit');
  for (const daemon of daemons) {
    const before = countRuns(daemon, history, 'skipped');
    await daemon.until('two skips', () => countRuns(daemon, history, 'skipped') >= before + 2);
  }

  const changes = (await receiver.changes(2)).filter(([subject]) => subject === history);
  expect(changes).toEqual([
    [history, 'failing'],
    [history, 'good'],
  ]);
});

test('a receiver that does not respond delays no run, and no stop for long', async () => {
  const target = await databaseWithRows();
  await replaceUpdateCounts(target, `raise exception 'no';`);
  const receiver = await startReceiver(() => 'silence');
  const settings = { ...everySecond, NOTIFY_URL: receiver.url };
  const daemon = await startDaemon({ env: { ...target.env, ...settings } });
  await receiver.changes(1);
  await untilRuns(daemon, 'schedule', 3);
  const start = performance.now();
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(performance.now() - start).toBeLessThan(8_000);
  expect(messages(daemon, 'warn')).toContain(
    'notification lost: update_counts is failing: the daemon stopped',
  );
});
