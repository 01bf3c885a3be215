import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { statisticsFunctions } from '../jobs/registry-objects.js';
import { hasStatisticsSchema } from '../statistics/installation.js';
import { assertNoDependents } from './uninstall.js';

/**
 * Returns what `uninstall` would restore and drop, in words; undefined if there is nothing to
 * uninstall. Reads only.
 * @throws AppError DEPENDENT_OBJECTS if other objects depend on ours
 */
export async function describeUninstall(database: Database): Promise<string | undefined> {
  if (!(await hasStatisticsSchema((text, values) => database.read(text, values)))) return undefined;
  await assertNoDependents(database);
  const objects = await database.read<{ name: string; isRestored: boolean }>(
    await readQuery('uninstall_plan'),
    [statisticsFunctions],
  );
  const names = (isRestored: boolean): string =>
    objects
      .filter((object) => object.isRestored === isRestored)
      .map(({ name }) => name)
      .join(', ');
  const { name, host, port } = database.options.connection;
  const dropped = names(false);
  return [
    `uninstall changes database "${name}" on ${host}:${port}:`,
    `  restores as Registry had them: ${names(true) || 'nothing'}`,
    ...(dropped === '' ? [] : [`  drops, because Registry had none: ${dropped}`]),
    `  drops schema registry_stats: ${await describeSchema(database)}`,
    "Registry's tables and the history keep every row. Each refresh scans the tables in full again.",
  ].join('\n');
}

async function describeSchema(database: Database): Promise<string> {
  const [row] = await database.read<{ size: string; runs: string; verifications: string }>(
    `select
      (
        select pg_catalog.pg_size_pretty(pg_catalog.sum(pg_catalog.pg_total_relation_size(oid)))
        from pg_catalog.pg_class
        where relnamespace = pg_catalog.to_regnamespace('registry_stats')
          and relkind = 'r'
      ) as size,
      (select pg_catalog.count(*) from registry_stats.run) as runs,
      (select pg_catalog.count(*) from registry_stats.verification) as verifications`,
  );
  const { size = '', runs = '', verifications = '' } = row ?? {};
  return `the rollups, and the records of ${runs} runs and ${verifications} verifications (${size})`;
}
