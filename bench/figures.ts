import type pg from 'pg';
import type { Source } from '../src/statistics/installation.js';

/** Figures that every peer can keep: no totals and no distinct objects. */
export interface Figure {
  /** The table of a peer, in its own schema. */
  readonly table: string;
  readonly columns: string;
  /** Computes the figure from Registry's table. */
  readonly query: string;
}

export const figures: readonly Figure[] = [
  countOf('event_count', 'premis_events', 'institution_id, event_type, outcome'),
  countOf('object_count', 'intellectual_objects', 'institution_id, state'),
  countOf('file_count', 'generic_files', 'institution_id, state'),
  countOf('work_item_count', 'work_items', 'institution_id, action'),
  {
    table: 'deposit',
    columns: 'institution_id, storage_option, row_count, total_bytes',
    query: `select institution_id, storage_option, count(*) as row_count,
        sum(coalesce(size, 0)) as total_bytes
      from public.generic_files
      where state = 'A'
      group by institution_id, storage_option`,
  },
];

function countOf(table: string, source: Source, keys: string): Figure {
  return {
    table,
    columns: `${keys}, row_count`,
    query: `select ${keys}, count(*) as row_count from public.${source} group by ${keys}`,
  };
}

/** Fails if a peer's tables differ from Registry's. A row that counts nothing is no difference. */
export async function assertEqual(client: pg.Client, schema: string): Promise<void> {
  for (const { table, columns, query } of figures) {
    const { rowCount } = await client.query(
      `with kept as (select ${columns} from ${schema}.${table} where row_count <> 0),
        counted as (${query})
      (table kept except all table counted) union all (table counted except all table kept)`,
    );
    if (rowCount !== 0) {
      throw new Error(
        `expected ${schema}.${table} to equal its table, found ${rowCount} differences`,
      );
    }
  }
}
