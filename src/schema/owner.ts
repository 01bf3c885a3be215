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

/**
 * What `migrate` creates, it creates in these two places. Checked before, because the first step may
 * commit before the one that fails.
 * @throws AppError PERMISSION_DENIED
 */
export async function assertMayCreate(query: Query): Promise<void> {
  const lacking = await query<{ place: string; user: string }>(
    `select place, current_user as user
    from (
      values
        (
          'schema public',
          pg_catalog.has_schema_privilege('public', 'create')
        ),
        (
          'database ' || pg_catalog.quote_ident(pg_catalog.current_database()),
          pg_catalog.to_regnamespace('registry_stats') is not null
            or pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create')
        )
    ) as needed (place, is_allowed)
    where not is_allowed`,
  );
  const [first] = lacking;
  if (first === undefined) return;
  throw new AppError(
    'PERMISSION_DENIED',
    `expected role "${first.user}" to be able to create objects in ` +
      `${lacking.map(({ place }) => place).join(' and in ')}; it lacks CREATE there`,
    { hint: lacking.map(({ place, user }) => `grant create on ${place} to "${user}";`).join(' ') },
  );
}

const owned = [...neededTables, ...statisticsTables, ...materializedViews];
