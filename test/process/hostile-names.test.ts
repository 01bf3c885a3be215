import { expect, test } from 'vitest';
import { loadCsv } from '../support/load-csv.js';
import { runCommand, startDaemon, type Program } from '../support/program.js';
import { noSchedule, untilRuns } from '../support/runs.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Text that a terminal, a log viewer, a browser or a spreadsheet may interpret. */
const payload =
  '\u001b[2J\u001b]0;title\u0007\r\n{"level":"error"}\n\u0085\u009b31m\u202eevil\u2066\u200f\u2028\ufeff' +
  `<script>alert(1)</script><img src=x onerror=alert(1)>=cmd()|'/C calc'!A1"\\{{x}} %s %o $(id)`;

const name = `${payload}${'x'.repeat(10_000)}`;

/** Characters that must not reach a terminal, except a line end. */
const control = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/** Creates hostile names, and differences from the tables so that they are reported. */
async function hostileDatabase(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  await target.query('update public.institutions set name = $1 where id = 4', [name]);
  await target.query('update public.storage_options set name = $1 where id = 1', [payload]);
  await target.query('update public.generic_files set storage_option = $1 where id < 20', [
    payload,
  ]);
  await target.query('update public.work_items set action = $1 where id = 1', [payload]);
  await target.query('update public.premis_events set event_type = $1 where id = 1', [payload]);
  return target;
}

async function makeDrift({ query }: TestDatabase): Promise<void> {
  await query('update registry_stats.count_rollup set row_count = row_count + 1 where facet = $1', [
    payload,
  ]);
  await query('update registry_stats.deposit_total set file_count = file_count + 1');
}

async function breakRefresh({ query }: TestDatabase): Promise<void> {
  await query(
    `create or replace function registry_stats.due_views(job text) returns text[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    as $$ begin raise exception '%', (select name from public.institutions where id = 4); end $$`,
  );
  await query(`update public.work_items set institution_id = 3 where id = 2`);
}

test('a hostile name reaches no terminal: tables, messages, errors', async () => {
  const target = await hostileDatabase();
  const { env } = target;
  const run = async (command: string, code: number): Promise<string> => {
    const result = await runCommand(command.split(' '), { env });
    expect(result).toMatchObject({ code });
    const text = result.stdout + result.stderr;
    expect(text).not.toMatch(control);
    return text;
  };
  await run('refresh', 0);
  await makeDrift(target);
  const differences = await run('verify', 11);
  expect(differences).toContain('<script>alert(1)</script>');
  expect(Math.max(...differences.split('\n').map((line) => line.length))).toBeLessThan(1_000);
  await breakRefresh(target);
  expect(await run('refresh', 8)).toContain('<script>');
  expect(await run('status', 0)).toContain('<script>');
});

test('a hostile name is the same name in JSON, and nothing else', async () => {
  const target = await hostileDatabase();
  await runCommand(['refresh'], { env: target.env });
  await makeDrift(target);
  const { stdout } = await runCommand(['verify', '--json'], { env: target.env });
  const { differences } = JSON.parse(stdout) as { differences: { key: string }[] };

  expect(stdout).not.toMatch(control);
  expect(differences.some(({ key }) => key.includes(payload))).toBe(true);
});

test.each(['json', 'pretty'])('a hostile name does not affect a log in %s', async (format) => {
  const target = await hostileDatabase();
  const program = await startDaemon({
    env: { ...target.env, ...noSchedule, LOG_FORMAT: format, VERIFY_SCHEDULE: '* * * * * *' },
  });
  await program.until('the first runs', () => program.stdout.includes('deposit history refreshed'));
  await makeDrift(target);
  await program.until('drift', () => program.stdout.includes('drift: '));
  await breakRefresh(target);
  program.kill('SIGUSR2');
  await program.until('a failed run', () => program.stdout.includes('counts failed'));
  program.kill('SIGTERM');
  expect(await program.exited()).toEqual({ code: 0, signal: null });

  expect(program.stdout).toContain('<script>alert(1)</script>');
  expect(program.stdout + program.stderr).not.toMatch(control);
  if (format === 'json') expectOneEventALine(program);
});

/** The message is complete, and its line breaks start no new line. */
function expectOneEventALine({ stdout }: Program): void {
  const lines = stdout.trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { app: string; msg: string });
  expect(new Set(events.map(({ app }) => app))).toEqual(new Set(['registry-stats']));
  expect(events.some(({ msg }) => msg.includes(name))).toBe(true);
}

test('a hostile name adds no label or line to the metrics; the API returns it unchanged', async () => {
  const target = await hostileDatabase();
  const program = await startDaemon({ env: { ...target.env, ...noSchedule } });
  const { statusUrl = '' } = await program.untilLine('started;');
  await untilRuns(program, 'start');
  await breakRefresh(target);
  program.kill('SIGUSR2');
  await untilRuns(program, 'signal');
  const metrics = await (await fetch(new URL('metrics', statusUrl))).text();
  const statistics = await fetch(new URL('api/statistics', statusUrl));
  const { deposits } = (await statistics.json()) as {
    deposits: { byInstitution: { name: string }[]; byStorageOption: { name: string }[] };
  };

  const sample = /^[a-z0-9_]+(\{([a-z_]+="[^"\\\n]*",?)*\})? \S+$/;
  const odd = metrics.split('\n').filter((line) => !/^(#|$)/.test(line) && !sample.test(line));
  expect(odd).toEqual([]);
  expect(metrics).not.toContain('<script');
  expect(statistics.headers.get('content-type')).toContain('application/json');
  expect(statistics.headers.get('x-content-type-options')).toBe('nosniff');
  expect(deposits.byInstitution.map((row) => row.name)).toContain(name);
  expect(deposits.byStorageOption.map((row) => row.name)).toContain(payload);
});
