import type { Query } from '../../src/db/transaction.js';
import { splitStatements } from '../../src/schema/split-statements.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';
import { sources, type Source } from '../../src/statistics/installation.js';

/** The views, the columns of their figures (no times), and the keys of a row. */
const views = {
  premis_event_counts: {
    source: 'premis_events',
    columns: 'institution_id, row_count, event_type, outcome',
    facets: ['event_type', 'outcome'],
  },
  intellectual_object_counts: {
    source: 'intellectual_objects',
    columns: 'institution_id, row_count, state',
    facets: ['state'],
  },
  generic_file_counts: {
    source: 'generic_files',
    columns: 'institution_id, row_count, state',
    facets: ['state'],
  },
  work_item_counts: {
    source: 'work_items',
    columns: 'institution_id, row_count, action',
    facets: ['action'],
  },
  current_deposit_stats: {
    source: 'generic_files',
    columns: `institution_id, member_institution_id, institution_name, storage_option, file_count,
      object_count, total_bytes, total_gb, total_tb, cost_gb_per_month, monthly_cost,
      primary_sort, secondary_sort`,
    facets: [],
  },
} as const;

export type View = keyof typeof views;
export const viewNames = Object.keys(views) as View[];
const jobOf = (view: View): string =>
  view === 'current_deposit_stats' ? 'update_current_deposit_stats' : 'update_counts';
export const viewsOf = (job: string): View[] => viewNames.filter((view) => jobOf(view) === job);

/**
 * The expected contents of each view, as migration 001 defines it: full scans, without the
 * incremental statistics.
 */
const definitions = await readDefinitions();

async function readDefinitions(): Promise<Record<View, string>> {
  const [baseline] = (await readSqlFiles()).migrations;
  const statements = splitStatements(baseline?.text ?? '').map(({ text }) => text);
  const entries = viewNames.map((view) => {
    const head = `create materialized view if not exists public.${view} as`;
    const found = statements.find((text) => text.startsWith(head));
    if (found === undefined) throw new Error(`migration 001 makes no view ${view}`);
    return [view, found.slice(head.length)] as const;
  });
  return Object.fromEntries(entries) as Record<View, string>;
}

/** Returns the differences of views and live views from the truth. */
export async function wrongFigures(
  query: Query,
  schemaPrefix: 'public.' | 'registry_stats.live_',
  which: readonly View[] = viewNames,
): Promise<unknown[]> {
  const wrong: unknown[] = [];
  for (const view of which) {
    const { columns } = views[view];
    const truth = `select ${columns} from (${definitions[view]}) as truth`;
    const shown = `select ${columns} from ${schemaPrefix}${view}`;
    wrong.push(...(await differing(query, `${schemaPrefix}${view}`, truth, shown)));
  }
  return wrong;
}

/**
 * Returns rows of the views that differ from the truth without the pending changes. Ignores names
 * and prices: they are not captured and may have changed since the last refresh.
 */
export async function wrongShown(query: Query, which: readonly View[]): Promise<unknown[]> {
  const wrong: unknown[] = [];
  for (const view of which) {
    const { source, columns, facets } = views[view];
    if (view === 'current_deposit_stats') {
      const figures =
        'institution_id, storage_option, file_count::bigint, object_count, total_bytes';
      wrong.push(
        ...(await differing(
          query,
          view,
          depositsWithoutPending,
          `select ${figures} from public.${view}`,
        )),
      );
      continue;
    }
    const keys = `institution_id, ${facets.join(', ')}`;
    const pending = `institution_id, facet${facets.length > 1 ? ', subfacet' : ''}, -row_count`;
    const truth = `
      select institution_id, coalesce(sum(n), 0)::bigint as row_count, ${facets.join(', ')}
      from (
        select ${keys}, sum(n) as n
        from (
          select ${keys}, count(*) as n from public.${source} group by ${keys}
          union all
          select ${pending} from registry_stats.delta where source = '${source}'
        ) as step
        group by ${keys}
        having sum(n) <> 0
      ) as net
      group by cube (${keys})`;
    wrong.push(...(await differing(query, view, truth, `select ${columns} from public.${view}`)));
  }
  return wrong;
}

const depositsWithoutPending = `
  select
    institution_id,
    coalesce(storage_option, 'Total') as storage_option,
    coalesce(sum(files), 0)::bigint as file_count,
    count(distinct object_id) as object_count,
    coalesce(sum(bytes), 0) as total_bytes
  from (
    select object_id, institution_id, storage_option, sum(files) as files, sum(bytes) as bytes
    from (
      select
        intellectual_object_id as object_id, institution_id, storage_option,
        1 as files, coalesce(size, 0)::numeric as bytes
      from public.generic_files
      where state = 'A'
      union all
      select object_id, institution_id, storage_option, -row_count, -byte_count
      from registry_stats.delta
      where source = 'generic_files' and facet = 'A'
    ) as step
    group by object_id, institution_id, storage_option
    having sum(files) <> 0
  ) as net
  group by cube (institution_id, storage_option)`;

/** Returns rows of rollups and totals that differ. No change may be pending. */
export async function wrongRollups(query: Query): Promise<unknown[]> {
  const counts = sources.map((source) => {
    const facets: readonly string[] =
      source === 'premis_events'
        ? ['event_type', 'outcome']
        : [source === 'work_items' ? 'action' : 'state', 'null::varchar'];
    return `select '${source}' as source, institution_id, ${facets.join(', ')}, count(*)
      from public.${source} group by 1, 2, 3, 4`;
  });
  const active = `from public.generic_files where state = 'A'`;
  return [
    ...(await differing(
      query,
      'count_rollup',
      counts.join(' union all '),
      `select source, institution_id, facet, subfacet, row_count
      from registry_stats.count_rollup
      where source <> 'checksums'`,
    )),
    ...(await differing(
      query,
      'deposit_rollup',
      `select coalesce(intellectual_object_id::bigint, -2147483649), institution_id, storage_option,
        count(*), coalesce(sum(size), 0) ${active} group by 1, 2, 3`,
      `select object_key, institution_id, storage_option, file_count, total_bytes
      from registry_stats.deposit_rollup`,
    )),
    ...(await differing(
      query,
      'deposit_total',
      `select institution_id, storage_option, count(*), count(distinct intellectual_object_id),
        coalesce(sum(size), 0) ${active} group by cube (institution_id, storage_option)`,
      `select institution_id, storage_option, file_count, object_count, total_bytes
      from registry_stats.deposit_total`,
    )),
  ];
}

/**
 * Returns months of the history that differ, by a scan of the files for each. `since` is an SQL
 * expression. Valid only if no file older than a month changed later.
 */
export async function wrongHistory(query: Query, since = `date '2014-01-01'`): Promise<unknown[]> {
  return differing(
    query,
    'historical_deposit_stats',
    `select month::date, institution_id, coalesce(storage_option, 'Total'),
      count(*), count(distinct intellectual_object_id), coalesce(sum(size), 0)
    from generate_series(timestamp '2014-01-01', timezone('utc', now()), '1 month') as month
    join public.generic_files on state = 'A' and created_at < month
    where month >= ${since}
    group by month, cube (institution_id, storage_option)`,
    `select end_date, institution_id, storage_option, file_count, object_count, total_bytes
    from public.historical_deposit_stats
    where file_count > 0
      and end_date >= ${since}`,
  );
}

/** Returns differing rows of the view of checksums, which a test declares. */
export async function wrongChecksums(
  query: Query,
  schemaPrefix: 'public.' | 'registry_stats.live_',
): Promise<unknown[]> {
  return differing(
    query,
    `${schemaPrefix}checksum_counts`,
    'select algorithm, count(*) from public.checksums group by cube (algorithm)',
    `select algorithm, row_count from ${schemaPrefix}checksum_counts`,
  );
}

/** Returns the rows of registry_stats.differences for some tables. */
export async function ownDifferences(
  query: Query,
  which: readonly Source[] = sources,
): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const source of which) {
    found.push(...(await query('select * from registry_stats.differences($1)', [source])));
  }
  return found;
}

/** Returns the tables whose rollups plus pending changes are trusted. */
export async function trustedSources(query: Query): Promise<Source[]> {
  const rows = await query<{ name: Source }>(
    `select name from registry_stats.source
    where is_exact
      and fingerprint is not distinct from registry_stats.fingerprint(name)
      and not exists (
        select from registry_stats.delta where delta.source = source.name and rebuild_because is not null
      )
    order by name`,
  );
  return rows.map(({ name }) => name);
}

export function sourceOf(view: View): Source {
  return views[view].source;
}

/**
 * Blocks truncate until the end of the transaction. Truncate is not transactional: a reader with an
 * older snapshot would see an empty table. Run it before the first query of a repeatable read
 * transaction; `lock table` takes no snapshot.
 */
export const keepTruncateAway = `lock table public.generic_files, public.intellectual_objects,
  public.premis_events, public.work_items, public.checksums, public.institutions,
  public.storage_options
  in access share mode`;

/** Compares with `except all`, both ways. */
async function differing(
  query: Query,
  label: string,
  truth: string,
  shown: string,
): Promise<unknown[]> {
  return query(
    `with truth as (${truth}), shown as (${shown})
    (select '${label}' as what, 'missing' as how, missing::text as row
    from (select * from truth except all select * from shown) as missing)
    union all
    (select '${label}', 'surplus', surplus::text
    from (select * from shown except all select * from truth) as surplus)`,
  );
}

/** Compares the deposits of recent months, which come from the rollups if exact, with a scan. */
export function wrongRecentDeposits(query: Query): Promise<unknown[]> {
  return query(
    `with recent as (
      select array(
        select (date_trunc('month', now() at time zone 'utc') - number * interval '1 month')::date
        from generate_series(0, 2) as number
      ) as dates
    ),
    expected as (select scanned.* from recent, registry_stats.deposits_by_scan(dates) as scanned),
    found as (select deposits.* from recent, registry_stats.deposits_at(dates) as deposits)

    (select 'missing' as what, missing.* from (table expected except all table found) as missing)
    union all
    (select 'surplus', surplus.* from (table found except all table expected) as surplus)`,
  );
}
