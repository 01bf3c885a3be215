import { expect, test } from 'vitest';
import { jobNames } from '../../src/jobs/job.js';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, noSchedule, untilRuns } from '../support/runs.js';
import { declaredMetrics, scrape, type Samples } from '../support/scrape.js';
import { eventually } from '../support/slow-job.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

async function migratedWithRows(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  return target;
}

async function scrapeOf(daemon: Program): Promise<Samples> {
  const { statusUrl = '' } = await daemon.untilLine('started;');
  const { status, samples } = await scrape(statusUrl);
  expect(status).toBe(200);
  return samples;
}

/** Scrapes until the samples match. */
async function untilScrape(daemon: Program, what: string, holds: (samples: Samples) => boolean) {
  let samples = await scrapeOf(daemon);
  await eventually(what, async () => holds((samples = await scrapeOf(daemon))));
  return samples;
}

const counts = '{job_name="update_counts"}';

test('a scrape exports runs, database and process, and no secret', async () => {
  const target = await migratedWithRows();
  const [pending] = await target.query<{ count: number }>(
    'select count(*)::int from registry_stats.delta',
  );
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await untilRuns(daemon, 'start');
  const { statusUrl = '' } = await daemon.untilLine('started;');
  const response = await fetch(`${statusUrl}/metrics`);
  const text = await response.text();
  const samples = await scrapeOf(daemon);

  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  for (const job of jobNames) {
    const refreshed = `registry_stats_runs_total{job_name="${job}",outcome="refreshed"}`;
    expect(samples.get(refreshed), refreshed).toBe(1);
    const lastSuccess = `registry_stats_last_success_timestamp_seconds{job_name="${job}"}`;
    expect(Date.now() / 1000 - (samples.get(lastSuccess) ?? 0), lastSuccess).toBeLessThan(120);
  }
  expect(samples.get(`registry_stats_folded_deltas_total${counts}`)).toBe(pending?.count);
  expect(samples.get('registry_stats_ready')).toBe(1);
  expect(samples.get('registry_stats_maintenance')).toBe(0);
  expect(text).toMatch(
    /^registry_stats_build_info\{version="\d[^"]+",node_version="v\d[^"]+"\} 1$/m,
  );
  expect(declaredMetrics(text).get('process_cpu_seconds_total')).toBe('counter');
  const misnamed = [...declaredMetrics(text)].filter(
    ([name, type]) => name.endsWith('_total') !== (type === 'counter'),
  );
  expect(misnamed).toEqual([]);
  for (const secret of ['DB_PASSWORD', 'DB_NAME'] as const) {
    expect(text).not.toContain(target.env[secret]);
  }
});

test('during a database outage a scrape responds with 200, reports it, and keeps known values', async () => {
  const target = await migratedWithRows();
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), DB_CONNECT_TIMEOUT: '2s' };
  const env = { ...target.env, ...way, ...noSchedule, RETRY_ATTEMPTS: '0' };
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  const before = await untilScrape(
    daemon,
    'the pending changes folded',
    (samples) => samples.get('registry_stats_pending_deltas') === 0,
  );
  expect(before.get('registry_stats_database_up')).toBe(1);

  const isAway = (samples: Samples): boolean => samples.get('registry_stats_database_up') === 0;
  await proxy.cut();
  const during = await untilScrape(daemon, 'a database that is away', isAway);
  const known = `registry_stats_data_as_of_timestamp_seconds${counts}`;
  expect(during.get(known)).toBe(before.get(known));
  expect(during.get('registry_stats_pending_deltas')).toBe(0);

  daemon.kill('SIGUSR2');
  await daemon.untilLine('the database does not respond');
  const failed = await scrapeOf(daemon);
  expect(failed.get('registry_stats_ready')).toBe(0);
  expect(failed.get(`registry_stats_runs_total{job_name="update_counts",outcome="failed"}`)).toBe(
    1,
  );

  await proxy.restore();
  await daemon.untilLine('the database is back after');
  await untilRuns(daemon, 'recovery');
  const after = await untilScrape(daemon, 'a database', (samples) => !isAway(samples));
  expect(after.get('registry_stats_ready')).toBe(1);
});

test('a server that hangs does not hang the scrape', async () => {
  const target = await migratedWithRows();
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port) };
  const daemon = await startDaemon({ env: { ...target.env, ...way, ...noSchedule } });
  await untilRuns(daemon, 'start');
  proxy.freeze();
  const start = performance.now();
  await untilScrape(daemon, 'no answer', (now) => now.get('registry_stats_database_up') === 0);
  expect(performance.now() - start).toBeLessThan(8_000);
});

test('in the legacy state the daemon exports its runs and incremental 0', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({
    env: { ...target.env, ...noSchedule, MAINTENANCE_MODE: 'true' },
  });
  await untilRuns(daemon, 'start');
  const samples = await scrapeOf(daemon);
  expect(samples.get('registry_stats_incremental')).toBe(0);
  expect(samples.get('registry_stats_maintenance')).toBe(1);
  expect(samples.get('registry_stats_pending_deltas')).toBeUndefined();
  expect(
    samples.get(`registry_stats_skips_total{job_name="update_counts",reason="maintenance"}`),
  ).toBe(1);
});
