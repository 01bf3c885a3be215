import path from 'node:path';
import { Command, Option } from 'commander';
import type { Context } from '../context.js';
import type { Query } from '../db/transaction.js';
import { readSqlFiles, sqlRoot } from '../schema/sql-files.js';
import { checkFixtures } from '../dev/fixtures.js';
import { reset } from '../dev/reset.js';
import { describeResetLoss } from '../dev/reset-loss.js';
import { defaultFiles } from '../dev/sample-data.js';
import { assertResettable } from '../dev/safety.js';
import { toCount } from './migrate.js';
import { progressTo, withContext, type Invocation } from './invocation.js';
import { confirmLoss } from '../terminal/confirm.js';
import { progressLineTo } from '../terminal/progress.js';

interface Options {
  confirm?: string;
  fixtures: string;
  sampleData?: number | true;
  dryRun?: boolean;
  yes?: boolean;
}

export function resetCommand(invocation: Invocation): Command {
  return new Command('reset')
    .description('drop and recreate: schema, migrations, fixtures, first refresh; never live')
    .option('--confirm <database>', 'the exact name of a database that looks live or holds more')
    .option('--fixtures <folder>', 'load <table>.csv from here', path.join(sqlRoot, 'fixtures'))
    .addOption(
      new Option('--sample-data [files]', 'generated rows instead of fixtures')
        .argParser(toCount)
        .conflicts('fixtures'),
    )
    .option('--dry-run', 'check everything and print what would be lost, change nothing')
    .option('--yes', 'do not ask; not enough for a database that needs --confirm')
    .action((options: Options) =>
      withContext(invocation, (context) => runReset(invocation, context, options), {
        mayCreateDatabase: options.dryRun !== true,
      }),
    );
}

async function runReset(invocation: Invocation, context: Context, options: Options): Promise<void> {
  const { database, config } = context;
  const { stdout } = invocation;
  const fixtures = path.resolve(invocation.cwd, options.fixtures);
  const loss = await checkReset(context, { fixtures, confirmed: options.confirm });
  if (options.dryRun === true) {
    stdout.write(`${loss ?? 'nothing would be lost: the database has no table of Registry'}\n`);
    return;
  }
  if (loss !== undefined) {
    // A name given with --confirm was compared with the name of the database.
    const isConfirmed = options.yes === true || options.confirm !== undefined;
    await confirmLoss(loss, { isConfirmed }, invocation);
  }
  await reset(database, {
    files: await readSqlFiles(),
    fixtures,
    sampleFiles: options.sampleData === true ? defaultFiles : options.sampleData,
    lockTimeoutMs: config.timeouts.lockMs,
    signal: context.signal,
    onProgress: progressTo(invocation),
    onRows: progressLineTo(invocation),
  });
  stdout.write(`database "${database.options.connection.name}" is new\n`);
}

/** Refuses before anything is dropped. Returns what would be lost, in words. */
async function checkReset(
  { database, config, server }: Context,
  given: { readonly fixtures: string; readonly confirmed: string | undefined },
): Promise<string | undefined> {
  const query: Query = (text, values) => database.read(text, values);
  const { host, port, name } = database.options.connection;
  const { isEmbedded, wasRunning } = server;
  const target = { config, isEmbedded, host, database: name, confirmed: given.confirmed };
  await assertResettable(query, target);
  await database.assertWritable();
  await checkFixtures(given.fixtures);
  return describeResetLoss(query, {
    database: `database "${name}" on ${host}:${port}`,
    wasRunning,
  });
}
