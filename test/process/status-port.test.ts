import { request } from 'node:http';
import { expect, test } from 'vitest';
import type { Status } from '../../src/status/model.js';
import type { Figures } from '../../src/status/figures-model.js';
import type { RunsPage } from '../../src/status/model.js';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon } from '../support/program.js';
import { databaseWithRows, noSchedule, untilRuns } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

async function serve(
  target: TestDatabase,
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule, ...settings } });
  const { statusUrl = '' } = await daemon.untilLine('started;');
  await untilRuns(daemon, 'start');
  return statusUrl;
}

async function incrementalDatabase(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  return target;
}

interface Responded<Body> {
  readonly status: number;
  readonly body: Body;
}

async function get<Body>(url: string): Promise<Responded<Body>> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Body };
}

/** Sends the path unchanged; fetch would remove '..'. */
function statusOfRawPath(url: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on('error', reject).end();
  });
}

test('every response forbids what the page does not need, and only GET and HEAD are allowed', async () => {
  const url = await serve(await incrementalDatabase());
  const paths = ['/', '/live', '/ready', '/api/status', '/api/runs', '/api/statistics'];
  for (const path of [...paths, '/assets/main.js', '/assets/style.css', '/missing']) {
    const { status, headers } = await fetch(url + path);
    expect([path, status]).toEqual([path, path === '/missing' ? 404 : 200]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(status);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const refused = await fetch(url + path, { method });
      expect([method, refused.status, refused.headers.get('allow')]).toEqual([
        method,
        405,
        'GET, HEAD',
      ]);
    }
  }
});

test('no path leaves the folder of the page', async () => {
  const url = await serve(await incrementalDatabase());
  for (const path of [
    '../api.js',
    '..%2fapi.js',
    '%2e%2e/api.js',
    '....//api.js',
    'tsconfig.json',
  ]) {
    expect([path, await statusOfRawPath(url, `/assets/${path}`)]).toEqual([path, 404]);
  }
});

test('runs come newest first, each once, in pages that new runs do not shift', async () => {
  const target = await incrementalDatabase();
  const url = await serve(target);
  const insert = (): Promise<unknown> =>
    target.query(
      `insert into registry_stats.run
        (job, trigger, backend_pid, started_at, finished_at, outcome, reason)
      select
        'update_counts', 'schedule', 1, now(), now() + interval '1.5 s',
        case when n % 2 = 0 then 'failed' else 'refreshed' end, null
      from generate_series(1, 10) as n`,
    );
  await insert();
  const seen: string[] = [];
  let path = '/api/runs?limit=4';
  for (let page = 0; page < 10; page++) {
    const { body } = await get<RunsPage>(url + path);
    seen.push(...body.runs.map(({ id }) => id));
    await insert();
    if (body.olderThan === null) break;
    path = `/api/runs?limit=4&before=${body.olderThan}`;
  }
  expect(seen).toEqual(Array.from({ length: 13 }, (_, index) => String(13 - index)));

  const failed = await get<RunsPage>(`${url}/api/runs?job=update_counts&outcome=failed&limit=2`);
  expect(failed.body.runs.map(({ outcome, durationMs }) => [outcome, durationMs])).toEqual([
    ['failed', 1_500],
    ['failed', 1_500],
  ]);
  const running = await get<RunsPage>(`${url}/api/runs?outcome=running`);
  expect(running.body).toEqual({ version: 1, isRecorded: true, runs: [], olderThan: null });
});

test('an invalid query is refused', async () => {
  const url = await serve(await incrementalDatabase());
  for (const query of [
    'limit=0',
    'limit=501',
    'limit=x',
    'limit=',
    'before=-1',
    'before=1%20or%201=1',
    'before=99999999999999999999',
    'job=x',
    'outcome=x',
    'outcome=failed&outcome=failed',
    'order=id',
  ]) {
    const { status, body } = await get<{ error: string }>(`${url}/api/runs?${query}`);
    expect([query, status]).toEqual([query, 400]);
    expect(body.error).not.toBe('');
  }
});

test('the statistics are those of the views, with the largest series and the sum of the others', async () => {
  const target = await incrementalDatabase();
  const url = await serve(target);
  const { body } = await get<Figures>(`${url}/api/statistics`);
  const [expected] = await target.query<{ bytes: number; months: number; now: number }>(
    `select
      (
        select total_bytes::float8
        from public.historical_deposit_stats
        where institution_id is null
          and storage_option = 'Total'
        order by end_date desc
        limit 1
      ) as bytes,
      (select count(distinct end_date)::int from public.historical_deposit_stats) as months,
      (
        select total_bytes::float8
        from public.current_deposit_stats
        where institution_id is null
          and storage_option = 'Total'
      ) as now`,
  );
  for (const series of [body.history.byStorageOption, body.history.byInstitution]) {
    expect(series.map(({ bytes }) => bytes.length)).toEqual(series.map(() => expected?.months));
    expect(series.reduce((sum, { bytes }) => sum + (bytes.at(-1) ?? 0), 0)).toBe(expected?.bytes);
  }
  expect(body.history.months).toHaveLength(expected?.months ?? -1);
  expect(body.history.total.bytes.at(-1)).toBe(expected?.bytes);
  expect(body.deposits.total?.bytes).toBe(expected?.now);
  const { byStorageOption, byInstitution, total } = body.deposits;
  for (const rows of [byStorageOption, byInstitution]) {
    expect(sumOf(rows, ({ bytes }) => bytes)).toBe(expected?.now);
    expect(sumOf(rows, ({ monthlyCost }) => monthlyCost ?? NaN)).toBeCloseTo(
      total?.monthlyCost ?? NaN,
    );
    expect(rows.map(({ recentBytes }) => recentBytes.length)).toEqual(rows.map(() => 13));
  }
});

function sumOf<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

test('an object in two storage options counts once in the total', async () => {
  const target = await incrementalDatabase();
  await target.query(
    `update public.generic_files
    set storage_option = (select max(name) from public.storage_options)
    where id = (
      select min(id)
      from public.generic_files
      where state = 'A'
      group by intellectual_object_id
      having count(*) > 1
      limit 1
    )`,
  );
  const url = await serve(target);
  const { body } = await get<Figures>(`${url}/api/statistics`);
  const { byStorageOption, total } = body.deposits;
  const sum = sumOf(byStorageOption, ({ objects }) => objects);
  expect(sum).toBeGreaterThan(total?.objects ?? NaN);
});

test('a table of the page is a file with a name, and has no formula', async () => {
  const target = await incrementalDatabase();
  await target.query('update public.institutions set name = $1 where id = 4', ['=1+1']);
  const url = await serve(target);
  const response = await fetch(`${url}/api/csv/institutions.csv`);
  const text = await response.text();
  expect(response.headers.get('content-disposition')).toMatch(
    /^attachment; filename="registry-stats-institutions-\d{4}-\d\d-\d\d\.csv"$/,
  );
  const [head, total] = text.split('\r\n');
  expect(head).toMatch(
    /^institution,bytes,files,objects,price_per_gb_usd,monthly_cost_usd,growth_bytes_since_\d{4}-\d\d-01$/,
  );
  expect(total).toMatch(/^All institutions,\d+,\d+,\d+,,[\d.]+,\d+$/);
  expect(text).toContain("\r\n'=1+1,");
});

test('the session that blocks a run is in the status', async () => {
  const target = await incrementalDatabase();
  const url = await serve(target, { LOCK_TIMEOUT: '30s' });
  const holder = await target.session();
  await holder.query('begin');
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  // A materialized view cannot be locked by LOCK TABLE.
  await holder.query(`comment on materialized view public.work_item_counts is 'locked'`);
  const [own] = (await holder.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
  const { body: before } = await get<Status>(`${url}/api/status`);
  process.kill(before.pid, 'SIGUSR2');
  await expect
    .poll(async () => (await get<Status>(`${url}/api/status`)).body.statistics.blocker, {
      timeout: 20_000,
      interval: 250,
    })
    .toMatchObject({
      pid: own?.pid,
      state: 'idle in transaction',
      lockOn: 'public.work_item_counts',
      waitingSince: expect.any(String) as string,
    });
  const { body } = await get<Status>(`${url}/api/status`);
  expect(body.verdict).toMatchObject({ kind: 'blocked', level: 'wait' });
  await holder.query('rollback');
  await expect
    .poll(async () => (await get<Status>(`${url}/api/status`)).body.verdict.kind, {
      timeout: 20_000,
      interval: 250,
    })
    .toBe('fresh');
});

test('many institutions are shown in nine series', async () => {
  const target = await incrementalDatabase();
  const url = await serve(target);
  await target.query(
    `insert into public.historical_deposit_stats
      (institution_id, institution_name, storage_option, total_bytes, end_date)
    select 1000 + n, 'Institution ' || n, 'Total', n, end_date
    from generate_series(1, 40) as n
    cross join (select distinct end_date from public.historical_deposit_stats) as month`,
  );
  const { body } = await get<Figures>(`${url}/api/statistics`);
  expect(body.history.byInstitution).toHaveLength(9);
  const others = body.history.byInstitution.at(-1);
  // Shows 4 institutions of the fixtures and 37 to 40; adds up 1 to 36.
  expect([others?.name, others?.bytes.at(-1)]).toEqual(['other institutions', (36 * 37) / 2]);
});

test("the status has the database's records, with the pending changes of each job", async () => {
  const target = await incrementalDatabase();
  const url = await serve(target);
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  const { body } = await get<Status>(`${url}/api/status`);
  expect(body.version).toBe(1);
  expect(body.statistics).toMatchObject({ mode: 'incremental', problem: null, inexact: [] });
  const [counts, deposits, history] = body.statistics.jobs;
  expect(counts).toMatchObject({ job: 'update_counts', outcome: 'refreshed' });
  expect(counts?.pendingChanges).toBe(body.statistics.pendingChanges);
  expect(counts?.pendingChanges).toBeGreaterThan(0);
  expect([deposits?.pendingChanges, history?.pendingChanges]).toEqual([0, 0]);
});

test('in the legacy state there are figures and no runs', async () => {
  const url = await serve(await databaseWithRows());
  const status = await get<Status>(`${url}/api/status`);
  expect(status.body.statistics).toEqual({
    mode: 'plain',
    blocker: null,
    problem: null,
    pendingChanges: null,
    inexact: [],
    jobs: [],
    lastVerification: null,
  });
  const runs = await get<RunsPage>(`${url}/api/runs`);
  expect(runs.body).toEqual({ version: 1, isRecorded: false, runs: [], olderThan: null });
  const figures = await get<Figures>(`${url}/api/statistics`);
  expect(figures.status).toBe(200);
  expect(figures.body.history.byStorageOption).not.toEqual([]);
});

test('during a database outage the status responds, and the other paths report the reason', async () => {
  const target = await incrementalDatabase();
  const proxy = await startTcpProxy();
  const url = await serve(target, { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port) });
  await proxy.cut();
  const status = await get<Status>(`${url}/api/status`);
  expect(status.status).toBe(200);
  expect(status.body.statistics.mode).toBe('unknown');
  const problem = `expected PostgreSQL at 127.0.0.1:${proxy.port}, found: `;
  expect(status.body.statistics.problem).toContain(problem);
  for (const path of ['/api/runs', '/api/statistics']) {
    const { status: code, body } = await get<{ error: string }>(url + path);
    expect([path, code]).toEqual([path, 503]);
    expect(body.error).toContain(problem);
  }
});
