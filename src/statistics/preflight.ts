import { AppError } from '../errors.js';
import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { isIncremental } from './installation.js';
import { incrementalRights, legacyRights, type Right } from './rights.js';

/** A missing object, or a missing right and the statement that grants it. */
interface Finding extends Record<string, unknown> {
  isMissing: boolean;
  what: string;
  remedy: string;
}

/**
 * Checks that the jobs can run on this database, incrementally or in the legacy state: the objects exist,
 * and the role has the rights it needs. Reports everything that is missing at once.
 * @throws AppError DATABASE_NOT_MIGRATED or PERMISSION_DENIED
 */
export async function preflight(database: Database): Promise<void> {
  const findings = await findMissing(database, await neededRights(database));
  const { name, user } = database.options.connection;
  const missing = findings.filter(({ isMissing }) => isMissing).map(({ what }) => what);
  if (missing.length > 0) {
    throw new AppError(
      'DATABASE_NOT_MIGRATED',
      `expected the statistics in database "${name}", missing: ${[...new Set(missing)].join(', ')}`,
      { hint: 'run `registry-stats migrate`, or check DB_NAME' },
    );
  }
  if (findings.length > 0) {
    const lacked = findings.map(({ what }) => what).join(', ');
    throw new AppError(
      'PERMISSION_DENIED',
      `expected role "${user}" to be able to run the jobs, it lacks: ${lacked}`,
      { hint: [...new Set(findings.map(({ remedy }) => `${remedy};`))].join(' ') },
    );
  }
}

/** A state that the role may not read counts as incremental: then the rights to read it are reported. */
async function neededRights(database: Database): Promise<readonly Right[]> {
  const [state] = await database.read<{ mayRead: boolean }>(
    `select
      pg_catalog.has_schema_privilege(relnamespace, 'usage')
        and pg_catalog.has_table_privilege(pg_class.oid, 'select') as "mayRead"
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'registry_stats'
      and relname = 'view'`,
  );
  if (state === undefined) return legacyRights;
  return !state.mayRead || (await isIncremental(database)) ? incrementalRights : legacyRights;
}

async function findMissing(database: Database, needed: readonly Right[]): Promise<Finding[]> {
  return database.read<Finding>(await readQuery('missing_rights'), [
    needed.map(({ kind }) => kind),
    needed.map(({ privilege }) => privilege),
    needed.map(({ object }) => object),
  ]);
}
