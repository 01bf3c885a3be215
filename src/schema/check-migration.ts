import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import type { Query } from '../db/transaction.js';
import { AppError } from '../errors.js';
import { materializedViews } from '../jobs/registry-objects.js';
import { assertMayCreate, assertOwner } from './owner.js';
import { hasWork, readPlan, type Plan } from './plan.js';
import type { SqlFiles } from './sql-files.js';

interface CheckOptions {
  readonly files: SqlFiles;
  readonly allowLaunchSchema: boolean;
}

/**
 * Returns the plan of `migrate`, or refuses as `migrate` would. Writes nothing.
 * @throws AppError PERMISSION_DENIED, MAINTENANCE_MODE, DATABASE_READ_ONLY, NOT_REGISTRY or
 * DEPENDENT_OBJECTS
 */
export async function checkMigration(
  database: Database,
  { files, allowLaunchSchema }: CheckOptions,
): Promise<Plan> {
  const query: Query = (text, values) => database.read(text, values);
  await assertOwner(query);
  await database.assertWritable();
  const plan = await readPlan(query, files);
  assertLaunchSchemaAllowed(plan, allowLaunchSchema);
  if (hasWork(plan)) await assertMayCreate(query);
  if (plan.needsActivation) await assertReplaceable(query);
  return plan;
}

/** @throws AppError NOT_REGISTRY if the database is empty and must not get the launch schema */
export function assertLaunchSchemaAllowed(plan: Plan, allowLaunchSchema: boolean): void {
  if (!plan.needsLaunchSchema || allowLaunchSchema) return;
  throw new AppError('NOT_REGISTRY', 'expected a Registry database, found none of its tables', {
    hint: 'check DB_NAME; the launch schema is only for development, test and docker',
  });
}

/** As registry_stats.swap_views(), which may not be installed yet, and would be the last step. */
async function assertReplaceable(query: Query): Promise<void> {
  const found = await query<{ view: string; readers: string }>(
    await readQuery('foreign_view_readers'),
    [materializedViews],
  );
  if (found.length === 0) return;
  const list = found.map(({ view, readers }) => `${view} is read by ${readers}`).join('; ');
  throw new AppError('DEPENDENT_OBJECTS', `other objects depend on the views: ${list}`, {
    hint: 'nothing was changed; drop them, run migrate again, and create them again',
  });
}
