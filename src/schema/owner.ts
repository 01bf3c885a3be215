import type { Query } from '../db/transaction.js';
import { AppError } from '../errors.js';
import { materializedViews, neededTables, statisticsTables } from '../jobs/registry-objects.js';

/**
 * Our functions run with the rights of the role that migrates, and Registry's triggers call them. So
 * that role must be the owner of the tables: a superuser's rights would reach the owner.
 * @throws AppError PERMISSION_DENIED
 */
export async function assertOwner(query: Query): Promise<void> {
  const [other] = await query<{ owner: string; name: string; user: string }>(
    `select pg_catalog.pg_get_userbyid(relowner) as owner, relname as name, current_user as user
    from pg_catalog.pg_class
    where relnamespace = 'public'::pg_catalog.regnamespace
      and relname = any ($1)
      and pg_catalog.pg_get_userbyid(relowner) <> current_user
    order by relname
    limit 1`,
    [owned],
  );
  if (other === undefined) return;
  const { owner, name, user } = other;
  throw new AppError(
    'PERMISSION_DENIED',
    `expected to migrate as role "${owner}", who owns public.${name}; found role "${user}"`,
    { hint: `connect as "${owner}" (DB_USER), or make "${user}" the owner of Registry's tables` },
  );
}

const owned = [...neededTables, ...statisticsTables, ...materializedViews];
