import { expect, test } from 'vitest';
import { runCommand, startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, everySecond, untilRuns } from '../support/runs.js';
import { dumpSchema } from '../support/schema-dump.js';
import type { TestDatabase } from '../support/test-database.js';

const maintenance = { MAINTENANCE_MODE: 'true' };

async function get(daemon: Program, path: string): Promise<Response> {
  const { statusUrl } = await daemon.untilLine('started;');
  return fetch(`${statusUrl}${path}`);
}

/** Returns everything that a transaction of the daemon could change. */
async function fingerprint(target: TestDatabase): Promise<unknown> {
  const rows = await target.query(
    `select
      (select max(updated_at) from public.generic_file_counts) as counts,
      (select max(end_date) from public.current_deposit_stats) as deposits,
      (select count(*) from public.historical_deposit_stats) as history,
      (select jsonb_agg(metadata order by key) from public.ar_internal_metadata as metadata) as flags,
      (select jsonb_agg(migration order by version) from public.schema_migrations as migration)
        as migrations`,
  );
  return [rows, await dumpSchema(target)];
}

test('in MAINTENANCE_MODE the daemon runs, skips every run, and writes nothing', async () => {
  const target = await databaseWithRows();
  await target.query(`delete from public.ar_internal_metadata where key like '%is running'`);
  const before = await fingerprint(target);
  const daemon = await startDaemon({ env: { ...target.env, ...everySecond, ...maintenance } });
  const skips = [
    'update_counts',
    'update_current_deposit_stats',
    'populate_all_historical_deposit_stats',
  ].map((job) => [job, 'skipped', 'MAINTENANCE_MODE is true']);
  expect(await untilRuns(daemon, 'start')).toEqual(skips);
  daemon.kill('SIGUSR2');
  expect(await untilRuns(daemon, 'signal')).toEqual(skips);
  await untilRuns(daemon, 'schedule');

  expect((await get(daemon, '/live')).status).toBe(200);
  expect(await (await get(daemon, '/api/status')).json()).toMatchObject({ isMaintenance: true });
  expect(await fingerprint(target)).toEqual(before);
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
});

test('in MAINTENANCE_MODE refresh skips each job; migrate, uninstall and reset refuse', async () => {
  const target = await databaseWithRows();
  await target.query(`delete from public.schema_migrations`);
  const before = await fingerprint(target);
  const env = { ...target.env, ...maintenance };

  const refresh = await runCommand(['refresh'], { env });
  expect(refresh.code).toBe(0);
  expect(refresh.stdout.match(/ skipped: MAINTENANCE_MODE is true$/gm)).toHaveLength(3);
  const refused = [
    'migrate',
    'migrate --status',
    'migrate --dry-run',
    'migrate --sample-data 10',
    'reset',
    'reset --dry-run',
    'uninstall',
  ];
  for (const line of refused) {
    const { code, stderr } = await runCommand(line.split(' '), { env });
    expect({ line, code }).toEqual({ line, code: 7 });
    expect(stderr).toContain('MAINTENANCE_MODE: MAINTENANCE_MODE is true: writes are refused');
  }
  expect((await runCommand(['status'], { env })).stdout).toContain(
    'MAINTENANCE_MODE is true: nothing is refreshed',
  );
  expect(await fingerprint(target)).toEqual(before);
});
