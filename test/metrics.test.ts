import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createEvents } from '../src/daemon/events.js';
import type { Config } from '../src/config/config.js';
import { AppError } from '../src/errors.js';
import type { CronJobs } from '../src/daemon/cron.js';
import { createStatusBoard } from '../src/daemon/status-board.js';
import { createStatusReader } from '../src/status/status-reader.js';
import { jobNamed, jobNames, type JobName } from '../src/jobs/job.js';
import { beginRound } from '../src/jobs/outcome.js';
import { refresh } from '../src/statistics/refresh.js';
import { skipReasons, type Outcome } from '../src/jobs/outcome.js';
import { createMetrics } from '../src/metrics/metrics.js';
import { createMetricSet } from '../src/metrics/metric-set.js';
import { loadCsv } from './support/load-csv.js';
import { parseSamples, type Samples } from './support/scrape.js';
import { eventually } from './support/slow-job.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** Creates the metrics of a daemon that has only the events of the test. */
async function metricsOf({ database }: TestDatabase) {
  const events = createEvents();
  const config = { isMaintenance: false };
  const identity = { pid: 1, programVersion: '1.2.3' };
  const board = createStatusBoard({ config: config as Config, database, events }, identity);
  board.watch({
    isDatabaseDown: () => false,
    nextRun: () => new Date(),
    nextVerification: () => undefined,
  } as unknown as CronJobs);
  const metrics = await createMetrics(
    { config, events },
    createStatusReader({ database }, board.current),
  );
  const finish = (job: JobName, result: Outcome, durationMs = 1): void => {
    const report = { job, trigger: 'schedule', result, startedAt: new Date(), durationMs } as const;
    events.emit({ type: 'run-finished', report, nextRun: undefined });
  };
  const scrape = async (): Promise<Samples> => parseSamples(await metrics.render());
  return { events, config, finish, scrape };
}

/** Waits until the response of the last scrape is no longer cached. */
async function untilReadAgain(scrape: () => Promise<Samples>, holds: (now: Samples) => boolean) {
  let samples = await scrape();
  await eventually('another response of the database', async () =>
    holds((samples = await scrape())),
  );
  return samples;
}

const runOptions = { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 };

/** Runs a scheduled job, like the daemon. */
function run({ database }: TestDatabase, name: JobName): Promise<Outcome> {
  const job = jobNamed(name);
  const request = {
    trigger: 'schedule',
    jobs: [name],
    isManual: false,
  } as const;
  return refresh(database, job, beginRound(request), runOptions);
}

const counts = '{job_name="update_counts"}';
const [, deposits, history] = jobNames;

test('every counter starts at 0, and unknown values are absent', async () => {
  const { scrape } = await metricsOf(await createTestDatabase());
  const samples = await scrape();
  for (const job of jobNames) {
    for (const outcome of ['refreshed', 'skipped', 'failed', 'cancelled']) {
      const name = `registry_stats_runs_total{job_name="${job}",outcome="${outcome}"}`;
      expect(samples.get(name), name).toBe(0);
    }
    for (const reason of Object.keys(skipReasons)) {
      const name = `registry_stats_skips_total{job_name="${job}",reason="${reason}"}`;
      expect(samples.get(name), name).toBe(0);
    }
    expect(samples.get(`registry_stats_retries_total{job_name="${job}"}`)).toBe(0);
    expect(samples.get(`registry_stats_run_duration_seconds_count{job_name="${job}"}`)).toBe(0);
    expect(samples.get(`registry_stats_consecutive_failures{job_name="${job}"}`)).toBe(0);
  }
  expect(samples.get(`registry_stats_folded_deltas_total${counts}`)).toBe(0);
  expect(samples.get('registry_stats_verifications_total{result="failed"}')).toBe(0);
  expect([...samples.keys()].filter((name) => /drift_|verification_time/.test(name))).toEqual([]);
});

test('runs are counted by job, outcome and reason; only those that worked have a duration', async () => {
  const { finish, events, scrape } = await metricsOf(await createTestDatabase());
  finish('update_counts', { outcome: 'refreshed', detail: '', changesFolded: 40 }, 250);
  finish('update_counts', { outcome: 'refreshed', detail: '', changesFolded: 2 }, 750);
  finish('update_counts', { outcome: 'skipped', reason: 'unchanged' }, 9_000);
  finish(deposits, { outcome: 'failed', error: new Error('no') }, 3_000);
  finish(history, { outcome: 'cancelled', reason: 'stop' });
  events.emit({ type: 'run-retried', job: history, error: new Error('no'), retriesLeft: 1 });

  const samples = await scrape();
  const nonZero = [...samples].filter(
    ([name, value]) => /^registry_stats_(runs|skips|retries|folded)/.test(name) && value > 0,
  );
  expect(Object.fromEntries(nonZero)).toEqual({
    'registry_stats_runs_total{job_name="update_counts",outcome="refreshed"}': 2,
    'registry_stats_runs_total{job_name="update_counts",outcome="skipped"}': 1,
    'registry_stats_skips_total{job_name="update_counts",reason="unchanged"}': 1,
    'registry_stats_folded_deltas_total{job_name="update_counts"}': 42,
    [`registry_stats_runs_total{job_name="${deposits}",outcome="failed"}`]: 1,
    [`registry_stats_runs_total{job_name="${history}",outcome="cancelled"}`]: 1,
    [`registry_stats_retries_total{job_name="${history}"}`]: 1,
  });
  expect(samples.get(`registry_stats_run_duration_seconds_sum${counts}`)).toBe(1);
  expect(samples.get(`registry_stats_run_duration_seconds_count${counts}`)).toBe(2);
});

test('a verification sets its time and the number of differences', async () => {
  const { events, scrape } = await metricsOf(await createTestDatabase());
  const difference = {
    source: 'work_items',
    view: 'work_item_counts',
    key: '1',
    expected: '2',
    found: '3',
  } as const;
  const before = Date.now() / 1000;
  events.emit({
    type: 'verified',
    comparison: { count: 2, differences: [difference, difference], sources: ['work_items'] },
    durationMs: 1,
  });
  events.emit({ type: 'verify-failed', error: new Error('no') });
  events.emit({ type: 'verify-missed', error: new AppError('REPLICA_UNUSABLE', 'away') });
  let samples = await scrape();
  expect(samples.get('registry_stats_drift_differences')).toBe(2);
  expect(samples.get('registry_stats_last_verification_timestamp_seconds')).toBeGreaterThanOrEqual(
    Math.floor(before),
  );
  expect(samples.get('registry_stats_verifications_total{result="drift"}')).toBe(1);
  expect(samples.get('registry_stats_verifications_total{result="failed"}')).toBe(1);
  expect(samples.get('registry_stats_verifications_total{result="missed"}')).toBe(1);

  events.emit({
    type: 'verified',
    comparison: { count: 0, differences: [], sources: [] },
    durationMs: 1,
  });
  samples = await scrape();
  expect(samples.get('registry_stats_drift_differences')).toBe(0);
});

test('after a restart the recorded verification is exported, and a later one replaces it', async () => {
  const target = await createTestDatabase();
  await target.query('select registry_stats.record_verification(3)');
  const { events, scrape } = await metricsOf(target);
  const drift = 'registry_stats_drift_differences';
  const samples = await scrape();
  expect(samples.get(drift)).toBe(3);
  const [record] = await target.query<{ at: number }>(
    'select extract(epoch from finished_at)::float8 as at from registry_stats.verification',
  );
  const at = samples.get('registry_stats_last_verification_timestamp_seconds');
  expect(at).toBeCloseTo(record?.at ?? NaN, 2);

  events.emit({
    type: 'verified',
    comparison: { count: 0, differences: [], sources: [] },
    durationMs: 1,
  });
  expect((await scrape()).get(drift)).toBe(0);
  await target.query('select registry_stats.record_verification(5)');
  await untilReadAgain(scrape, (now) => now.get(drift) === 5);
});

test('a daemon without runs exports the times and failures recorded in the database', async () => {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  expect(await run(target, 'update_counts')).toMatchObject({ outcome: 'refreshed' });
  await target.query(
    `update registry_stats.job set consecutive_failures = 4, last_check = '2026-01-02T03:04:05Z'
    where name = $1`,
    [deposits],
  );
  const [record] = await target.query<{ check: number; asOf: number; refreshed: number }>(
    `select
      extract(epoch from last_check)::float8 as check,
      extract(epoch from data_as_of)::float8 as "asOf",
      extract(epoch from last_refresh)::float8 as refreshed
    from registry_stats.job
    where name = 'update_counts'`,
  );
  const samples = await (await metricsOf(target)).scrape();

  const near = (name: string, value = 0): void => {
    expect(samples.get(`registry_stats_${name}_timestamp_seconds${counts}`)).toBeCloseTo(value, 2);
  };
  near('last_check', record?.check);
  near('last_success', record?.refreshed);
  near('data_as_of', record?.asOf);
  expect(samples.get(`registry_stats_consecutive_failures{job_name="${deposits}"}`)).toBe(4);
  expect(samples.get(`registry_stats_last_check_timestamp_seconds{job_name="${deposits}"}`)).toBe(
    1_767_323_045,
  );
  expect(samples.get(`registry_stats_last_success_timestamp_seconds{job_name="${history}"}`)).toBe(
    0,
  );
  expect(samples.get('registry_stats_incremental')).toBe(1);
  expect(samples.get('registry_stats_database_up')).toBe(1);
});

test("the daemon's own state wins if the record is older or has fewer failures", async () => {
  const { finish, scrape } = await metricsOf(await createTestDatabase());
  const start = Date.now() / 1000;
  finish('update_counts', { outcome: 'skipped', reason: 'busy' });
  for (const error of [new Error('one'), new Error('two')]) {
    finish('update_counts', { outcome: 'failed', error });
  }
  finish(deposits, { outcome: 'skipped', reason: 'maintenance' });
  const samples = await scrape();
  for (const time of ['last_success', 'last_check']) {
    const name = `registry_stats_${time}_timestamp_seconds${counts}`;
    expect(samples.get(name), name).toBeGreaterThanOrEqual(start);
  }
  expect(samples.get(`registry_stats_consecutive_failures${counts}`)).toBe(2);
  expect(samples.get(`registry_stats_last_check_timestamp_seconds{job_name="${deposits}"}`)).toBe(
    0,
  );
});

test('pending changes and untrusted tables come from the database, read at most once a second', async () => {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  const [before] = await target.query<{ count: number }>(
    'select count(*)::int from registry_stats.delta',
  );
  const { scrape } = await metricsOf(target);
  const first = await scrape();
  expect(before?.count).toBeGreaterThan(0);
  expect(first.get('registry_stats_pending_deltas')).toBe(before?.count);
  expect(first.get('registry_stats_inexact_sources')).toBe(0);

  await run(target, 'update_counts');
  await target.query('alter table public.work_items disable trigger registry_stats_insert');
  expect((await scrape()).get('registry_stats_pending_deltas')).toBe(before?.count);
  const second = await untilReadAgain(
    scrape,
    (now) => now.get('registry_stats_pending_deltas') === 0,
  );
  expect(second.get('registry_stats_inexact_sources')).toBe(1);
});

test('in the legacy state pending changes are absent, and all other metrics are exported', async () => {
  const { scrape, config } = await metricsOf(await createTestDatabase('baseline'));
  config.isMaintenance = true;
  const samples = await scrape();
  expect(samples.get('registry_stats_incremental')).toBe(0);
  expect(samples.get('registry_stats_database_up')).toBe(1);
  expect(samples.get('registry_stats_maintenance')).toBe(1);
  expect(samples.get('registry_stats_ready')).toBe(0);
  expect([...samples.keys()].filter((name) => /pending|inexact_|data_as_of/.test(name))).toEqual(
    [],
  );
});

test("a scrape responds while the database hangs, and uses none of the jobs' connections", async () => {
  const target = await createTestDatabase();
  const { scrape } = await metricsOf(target);
  const blocker = await target.session();
  await blocker.query('begin; lock table registry_stats.job in access exclusive mode');
  const start = performance.now();
  const responses = Array.from({ length: 6 }, scrape);
  await eventually('a blocked read', async () => (await countBlocked(target)) > 0);
  const blocked = await countBlocked(target);

  for (const samples of await Promise.all(responses)) {
    expect(samples.get('registry_stats_database_up')).toBe(0);
    expect(samples.get('registry_stats_incremental')).toBeUndefined();
  }
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(blocked).toBe(1);
  await blocker.query('rollback');
  await untilReadAgain(scrape, (now) => now.get('registry_stats_database_up') === 1);
});

async function countBlocked({ query }: TestDatabase): Promise<number> {
  const rows = await query(
    `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows.length;
}

/** Returns name, type and labels of our metrics in code. */
async function metricsInCode(): Promise<string[][]> {
  const { registry } = createMetricSet('1.2.3');
  const types = await registry.getMetricsAsJSON();
  return registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('registry_stats_'))
    .map((metric) => {
      const { labelNames } = metric as unknown as { labelNames: readonly string[] };
      const type = types.find(({ name }) => name === metric.name)?.type;
      return [metric.name, String(type), labelNames.join(', ')];
    });
}

function read(name: string): Promise<string> {
  return readFile(new URL(`../${name}`, import.meta.url), 'utf8');
}

test('docs/metrics.md lists exactly the metrics, each with its type and labels', async () => {
  const listed = [
    ...(await read('docs/metrics.md')).matchAll(
      /^\| `(registry_stats_\w+)` +\| (\w+) +\| ([^|]*)\|/gm,
    ),
  ].map(([, name, type, labels = '']) => [name, type, labels.replaceAll('`', '').trim()]);
  expect(listed).toEqual(await metricsInCode());
});

test.each(['deploy/prometheus/alerts.yaml', 'deploy/grafana/dashboard.json', 'docs/metrics.md'])(
  '%s names only existing metrics and labels',
  async (file) => {
    const inCode = await metricsInCode();
    const names = inCode.flatMap(([name = '', type]) =>
      type === 'histogram' ? ['', '_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    );
    const labels = inCode.flatMap(([, , text = '']) => text.split(', '));
    const text = await read(file);
    const used = [...new Set(text.match(/registry_stats_[a-z_]+/g))];
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((name) => !names.includes(name))).toEqual([]);
    const grouped = [...text.matchAll(/\bby \(([^)]+)\)/g)].flatMap(([, list = '']) =>
      list.split(/, */),
    );
    expect(grouped.filter((label) => ![...labels, 'le'].includes(label))).toEqual([]);
  },
);

test('every alert has a severity and an action, in the rules, their tests and the document', async () => {
  const blocks = (await read('deploy/prometheus/alerts.yaml')).split(/^ +- alert: /m).slice(1);
  const names = blocks.map((block) => /^\w+/.exec(block)?.[0]);
  for (const block of blocks) {
    expect(block).toMatch(/severity: (critical|warning)\n/);
    expect(block).toMatch(/summary: \S/);
    expect(block).toMatch(/runbook: \S/);
  }
  const listed = [...(await read('docs/metrics.md')).matchAll(/^\| `(RegistryStats\w+)`/gm)];
  expect(listed.map(([, name]) => name)).toEqual(names);
  const tested = (await read('deploy/prometheus/alerts.test.yaml')).match(/RegistryStats\w+/g);
  expect(names.filter((name) => !tested?.includes(name ?? ''))).toEqual([]);
});

test('the dashboard has a title and a query in every panel', async () => {
  const dashboard = JSON.parse(await read('deploy/grafana/dashboard.json')) as {
    panels: { title?: string; type: string; targets?: { expr?: string }[] }[];
  };
  for (const { title, type, targets } of dashboard.panels) {
    expect(title).toMatch(/\S/);
    if (type !== 'row') expect(targets?.every(({ expr }) => expr !== undefined)).toBe(true);
  }
});
