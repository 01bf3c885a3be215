import type pg from 'pg';
import { sources } from '../src/statistics/installation.js';

/** How the names of the capture triggers start. */
export const captureTriggers = 'registry_stats_';

/**
 * Enables the triggers of the counted tables whose names start with `prefix`, and disables the
 * others. Without a prefix it disables all. Foreign keys and pg_ivm's own triggers stay.
 */
export async function enableOnly(client: pg.Client, prefix?: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `select format(
      'alter table %s %s trigger %I',
      tgrelid::regclass,
      case when starts_with(tgname, $2) then 'enable' else 'disable' end,
      tgname
    ) as statement
    from pg_trigger
    where tgrelid = any ($1::regclass[])
      and not tgisinternal`,
    [sources.map((source) => `public.${source}`), prefix ?? null],
  );
  await client.query(rows.map(({ statement }) => statement).join('; '));
}
