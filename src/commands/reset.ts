import path from 'node:path';
import { Command } from 'commander';
import { readSqlFiles, sqlRoot } from '../schema/sql-files.js';
import { reset } from '../dev/reset.js';
import { defaultFiles } from '../dev/sample-data.js';
import { assertResettable } from '../dev/safety.js';
import { toCount } from './migrate.js';
import { progressTo, withContext, type Invocation } from './invocation.js';
import { progressLineTo } from '../terminal/progress.js';

interface Options {
  confirm?: string;
  fixtures: string;
  sampleData?: number | true;
}

export function resetCommand(invocation: Invocation): Command {
  return new Command('reset')
    .description('drop and recreate: schema, migrations, fixtures, first refresh; never live')
    .option('--confirm <database>', 'the exact name of a database that looks live or holds more')
    .option('--fixtures <folder>', 'load <table>.csv from here', path.join(sqlRoot, 'fixtures'))
    .option('--sample-data [files]', 'generated rows instead of fixtures', toCount)
    .action((options: Options) =>
      withContext(invocation, async (context) => {
        const { database, config, server } = context;
        const { host, name } = database.options.connection;
        await assertResettable((text, values) => database.read(text, values), {
          config,
          isEmbedded: server.isEmbedded,
          host,
          database: name,
          confirmed: options.confirm,
        });
        await reset(database, {
          files: await readSqlFiles(),
          fixtures: path.resolve(invocation.cwd, options.fixtures),
          sampleFiles: options.sampleData === true ? defaultFiles : options.sampleData,
          lockTimeoutMs: config.timeouts.lockMs,
          signal: context.signal,
          onProgress: progressTo(invocation),
          onRows: progressLineTo(invocation),
        });
        invocation.stdout.write(`database "${name}" is new\n`);
      }),
    );
}
