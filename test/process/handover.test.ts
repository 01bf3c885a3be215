import { readFile } from 'node:fs/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../../src/schema/migrate.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';
import { startLoad } from '../support/registry-load.js';
import { loadCsv } from '../support/load-csv.js';
import { runCommand, startDaemon, startProgram } from '../support/program.js';
import { messages, noSchedule, runsOf, untilRuns } from '../support/runs.js';
import { dumpSchema } from '../support/schema-dump.js';
import { openTestDatabase } from '../support/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { migrateQuietly } from '../support/migrate-options.js';

const runbook = await readFile(new URL('../../docs/handover.md', import.meta.url), 'utf8');
const password = 'handover';

/** Returns the program's commands in the runbook's code blocks, in order. */
function commandsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh$([\s\S]+?)^```$/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/ +#.*$/, ''))
    .filter((line) => line.startsWith('registry-stats '))
    .map((line) => line.replace('registry-stats ', ''));
}

/** Creates a live Registry database that belongs to an ordinary role. */
async function registryDatabase(): Promise<{ target: TestDatabase; role: string }> {
  const target = await createTestDatabase('empty');
  const role = `${target.name}_app`;
  await target.query(`create role ${role} login password '${password}'`);
  await target.query(`grant create on database ${target.name} to ${role}`);
  await target.query(`grant create on schema public to ${role}`);
  const server = { ...inject('server'), user: role, password };
  const owner = openTestDatabase(server, target.name);
  onTestFinished(async () => {
    await owner.close();
    await target.query(`drop owned by ${role} cascade`);
    await target.query(`drop role ${role}`);
  });
  const { migrations, ...files } = await readSqlFiles();
  await migrate(owner, {
    files: { ...files, migrations: migrations.slice(0, 1), functions: [] },
    ...migrateQuietly,
  });
  await loadCsv(owner);
  await target.query(
    `select public.update_counts(), public.update_current_deposit_stats(),
      public.populate_all_historical_deposit_stats(), public.populate_empty_deposit_stats()`,
  );
  await target.query(
    `insert into public.schema_migrations (version, started_at, finished_at)
    select version, now(), now()
    from unnest(array['002_work_item_restorations', '012_posix_metadata']) as version`,
  );
  return { target, role };
}

async function activeFiles({ query }: TestDatabase): Promise<number> {
  const [row] = await query<{ count: string }>(
    `select count(*) as count from public.generic_files where state = 'A'`,
  );
  return Number(row?.count);
}

async function shownFiles({ query }: TestDatabase): Promise<number> {
  const [row] = await query<{ count: string }>(
    `select file_count as count from public.current_deposit_stats
    where institution_id is null and storage_option = 'Total'`,
  );
  return Number(row?.count);
}

test('the runbook, step by step, under load: no error for readers or writers, all figures correct', async () => {
  const { target, role } = await registryDatabase();
  const before = await dumpSchema(target);
  const env = { ...target.env, DB_USER: role, DB_PASSWORD: password, ...noSchedule };
  const commands = commandsOf(runbook);
  const load = await startLoad(() => target.session());

  /** Runs the runbook's next command, which must be this one. */
  async function step(command: string, settings = env): Promise<string> {
    expect(command).toBe(commands.shift());
    await load.progress();
    // Registry's own calls run in each step.
    const calling = load.call();
    // There is no terminal to ask on.
    const args = command === 'uninstall' ? ['uninstall', '--yes'] : command.split(' ');
    const { code, stdout, stderr } = await runCommand(args, { env: settings });
    await calling;
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr });
    return stdout;
  }

  expect(await step('config')).toMatch(new RegExp(`^DB_USER +${role} +environment$`, 'm'));
  expect(await step('migrate --status')).toMatch(/^101_incremental_statistics +pending$/m);
  expect(await step('migrate --dry-run')).toContain('activation: capture triggers');
  expect(await step('migrate')).toContain('views over the rollups');
  expect(await step('verify')).toBe('Verified: every current figure matches the tables\n');

  expect(commands.shift()).toBe('start');
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  const { statusUrl = '' } = await daemon.untilLine('started;');
  const withPort = { ...env, STATUS_PORT: new URL(statusUrl).port };
  expect(await step('health --ready', withPort)).toBe('ready\n');
  daemon.kill('SIGUSR2');
  expect((await untilRuns(daemon, 'signal')).map(([, outcome]) => outcome)).not.toContain('failed');
  expect(await step('status', withPort)).toContain(`process ${String(daemon.pid)} on `);

  expect(commands.shift()).toBe('status --watch');
  const watching = await startProgram(['status', '--watch'], { env: withPort });
  await watching.until('two reports', () => watching.stdout.split('Pending changes ').length > 2);
  watching.kill('SIGINT');
  expect(await watching.exited()).toEqual({ code: 0, signal: null });

  await load.stop('writers');
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal', 2);
  expect(runsOf(daemon.lines, 'signal').at(-2)).not.toContain('failed');
  expect(await step('verify')).toBe('Verified: every current figure matches the tables\n');
  expect(await shownFiles(target)).toBe(await activeFiles(target));
  load.start('writers');

  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(messages(daemon, 'error')).toEqual([]);

  const least = await activeFiles(target);
  expect(await step('uninstall --dry-run')).toContain('drops schema registry_stats');
  expect(await step('uninstall')).toBe('uninstalled\n');
  const most = await activeFiles(target);
  expect(await step('migrate --status')).toMatch(/^101_incremental_statistics +pending$/m);
  expect(commands).toEqual([]);
  await load.progress();
  expect(await load.end()).toEqual({ readers: [], writers: [], callers: [] });

  const shown = await shownFiles(target);
  expect(shown).toBeGreaterThanOrEqual(least);
  expect(shown).toBeLessThanOrEqual(most);
  expect(most).toBeGreaterThan(least);
  expect(await dumpSchema(target)).toBe(before);
}, 180_000);
