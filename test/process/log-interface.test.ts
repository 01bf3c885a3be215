import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { createEvents } from '../../src/daemon/events.js';
import { logEvents } from '../../src/daemon/log-events.js';
import { checkAge } from '../../src/daemon/verification-age.js';
import { createLog } from '../../src/log.js';
import { resourcesOf, textOf } from '../support/ecs-template.js';
import { parseFilterPattern } from '../support/filter-pattern.js';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon, type LogLine } from '../support/program.js';
import { everySecond } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase } from '../support/test-database.js';

const patterns = resourcesOf('AWS::Logs::MetricFilter').map(({ name, block }) => ({
  name,
  text: textOf(block, 'FilterPattern'),
}));

/** Returns the metric filters of deploy/ecs.yaml that a line matches. */
function filtersOf(line: LogLine): string[] {
  return patterns.filter(({ text }) => parseFilterPattern(text)(line)).map(({ name }) => name);
}

test('the metric filters of the template match the lines that the daemon writes', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), RETRY_ATTEMPTS: '0' };
  const settings = { ...everySecond, VERIFY_SCHEDULE: '* * * * * *' };
  const daemon = await startDaemon({ env: { ...target.env, ...way, ...settings } });
  const find = (what: string, matches: (line: LogLine) => boolean) =>
    daemon.until(what, () => daemon.lines.find(matches));

  const refreshed = await find('a run', ({ outcome }) => outcome === 'refreshed');
  const skipped = await find('a skip', ({ outcome }) => outcome === 'skipped');
  const equal = await find(
    'a verification',
    ({ event, count }) => event === 'verified' && count === 0,
  );

  await target.query(`set session_replication_role = replica;
    insert into public.work_items (name, institution_id, action, stage, status, created_at, updated_at)
    select 'x', 2, 'Ingest', 'Receive', 'Pending', now(), now()`);
  const drift = await find('drift', ({ event, count }) => event === 'verified' && count !== 0);

  await target.query('alter function registry_stats.check_jobs(text[], text) rename to gone');
  const failed = await find('a failure', ({ outcome }) => outcome === 'failed');
  await target.query('alter function registry_stats.gone(text[], text) rename to check_jobs');

  await proxy.cut();
  const away = await find('an outage', ({ event }) => event === 'database-down');
  const lost = await find(
    'a lost run',
    (line) => line.outcome === 'failed' && line.level === 'warn',
  );

  expect(filtersOf(refreshed)).toEqual(['FinishedRuns']);
  expect(filtersOf(skipped)).toEqual(['FinishedRuns']);
  expect(filtersOf(equal)).toEqual(['Differences']);
  expect(filtersOf(drift)).toEqual(['Differences']);
  expect(drift['count']).toBeGreaterThan(0);
  expect(filtersOf(failed)).toEqual(['FinishedRuns', 'FailedRuns']);
  expect(filtersOf(away)).toEqual([]);
  expect(filtersOf(lost)).toEqual(['FinishedRuns']);
});

test('a table that no run can repair matches the filter of failed runs', async () => {
  const target = await createTestDatabase('migrated');
  await target.query('alter table public.work_items drop column action cascade');
  const daemon = await startDaemon({ env: { ...target.env, ...everySecond } });
  const held = await daemon.until('a held back run', () =>
    daemon.lines.find(({ skipReason }) => skipReason === 'inexact'),
  );
  expect(filtersOf(held)).toEqual(['FinishedRuns', 'FailedRuns']);
});

/** Returns the JSON lines of one check of the verification's age. */
async function linesOfAgeCheck(before: string): Promise<LogLine[]> {
  const target = await createTestDatabase('migrated');
  await target.query(before);
  const lines: LogLine[] = [];
  const output = new Writable({
    write: (line: Buffer, _encoding, done) => {
      lines.push(JSON.parse(line.toString()) as LogLine);
      done();
    },
  });
  const config = { log: { level: 'info', format: 'json', sql: false } } as unknown as Config;
  const log = await createLog(config, output as unknown as NodeJS.WriteStream);
  const events = createEvents();
  events.observe(logEvents(log));
  await checkAge({ database: target.database, events });
  return lines;
}

const computed = (age: string): string =>
  `update registry_stats.source set rebuilt_at = now() - interval '${age}'`;
const verified = (age: string): string =>
  `insert into registry_stats.verification (finished_at, differences)
  values (now() - interval '90 days', 0), (now() - interval '${age}', 0)`;

test('nine days without a verification are reported, and the filter matches', async () => {
  const late = [verified('10 days'), computed('10 days')];
  const inTime = [`${computed('20 days')}; ${verified('8 days')}`, computed('8 days')];
  for (const before of late) {
    const [line, ...more] = await linesOfAgeCheck(before);
    expect(more).toEqual([]);
    expect(line?.msg).toMatch(
      /^no verification since \d{4}-\d\d-\d\d; run `registry-stats verify`$/,
    );
    expect(line === undefined ? [] : filtersOf(line)).toEqual(['OverdueVerifications']);
  }
  for (const before of inTime) expect(await linesOfAgeCheck(before)).toEqual([]);
});

test('docs/operations.md lists each event and field that a filter reads', async () => {
  const docs = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = docs.split(/^## Log$/m);
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  for (const { text } of patterns) {
    const [, event = ''] = /\$\.event = "([^"]+)"/.exec(text) ?? [];
    const row = rows.find((line) => line.startsWith(`| \`${event}\``));
    expect(row, event).toBeDefined();
    const fields = [...text.matchAll(/\$\.(\w+)/g)].map(([, field = '']) => field);
    const named = fields.filter((field) => field !== 'event' && field !== 'level');
    for (const field of named) expect(row).toContain(`\`${field}\``);
  }
});
