import type { Source } from '../../src/statistics/installation.js';
import type { RandomNumbers } from './random-numbers.js';

/** A row of a captured table, without its id. */
export type Row = Readonly<Record<string, string | number | null>>;

/** 3 and 7 get the same name. 999 is usually no institution. */
const institutions = [1, 2, 3, 4, 7, 999] as const;
const states = ['A', 'A', 'A', 'D', null] as const;
const options = ['Standard', 'Standard', 'Glacier-VA', 'Wasabi-TX', 'No such option'] as const;
const eventTypes = ['ingestion', 'fixity check', 'deletion', null] as const;
const outcomes = ['Success', 'Failed', null] as const;
const actions = ['Ingest', 'Delete', 'Restore File', null] as const;

/** Columns whose change affects a figure, with a new value for each. */
export const captured: Readonly<
  Record<Source, Readonly<Record<string, (random: RandomNumbers) => string | number | null>>>
> = {
  generic_files: {
    institution_id: (random) => random.pick(institutions),
    state: (random) => random.pick(states),
    intellectual_object_id: (random) => (random.chance(0.2) ? null : random.int(1, 60)),
    storage_option: (random) => random.pick(options),
    size: (random) => random.pick([null, 0, 1, random.int(1, 1_000_000), 2 ** 40]),
  },
  intellectual_objects: {
    institution_id: (random) => random.pick([...institutions, null]),
    state: (random) => random.pick(states),
  },
  premis_events: {
    institution_id: (random) => random.pick([...institutions, null]),
    event_type: (random) => random.pick(eventTypes),
    outcome: (random) => random.pick(outcomes),
  },
  work_items: {
    institution_id: (random) => random.pick([...institutions, null]),
    action: (random) => random.pick(actions),
  },
};

/** A column of each table that no statistic reads, changed by a fixity check or a retry. */
export const uncaptured: Readonly<Record<Source, string>> = {
  generic_files: 'last_fixity_check = clock_timestamp()',
  intellectual_objects: "title = 'another'",
  premis_events: "detail = 'another'",
  work_items: 'retry = not retry',
};

export function newRow(source: Source, random: RandomNumbers, name: string): Row {
  const values = Object.entries(captured[source]).map(([column, make]) => [column, make(random)]);
  const created = creation(random);
  return {
    ...(Object.fromEntries(values) as Row),
    created_at: created,
    updated_at: created,
    ...(source === 'work_items' ? { name } : { identifier: name }),
    ...(source === 'generic_files' ? { uuid: name } : {}),
    ...(source === 'work_items' ? { retry: 'false', needs_admin_review: 'false' } : {}),
  };
}

/** Returns a time in years, months, at the edge of a month, in the future, or before the history. */
function creation(random: RandomNumbers): string {
  const now = new Date();
  const firstOf = (month: number): Date =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + month, 1));
  const time = random.weighted({ years: 50, months: 25, edge: 10, future: 10, early: 5 });
  const edge = firstOf(random.int(-3, 1)).getTime();
  const times = {
    years: Date.UTC(random.int(2014, 2025), random.int(0, 8), 11),
    months: edge + random.int(0, 27) * 86_400_000,
    edge: edge + random.int(-1, 1),
    future: now.getTime() + random.int(1, 400) * 86_400_000,
    early: Date.UTC(2013, random.int(0, 11), 31),
  };
  return new Date(times[time]).toISOString().replace('T', ' ').replace('Z', '');
}

/** Returns a line for COPY. */
export function toCopyLine(row: Row): string {
  return `${Object.values(row)
    .map((value) => (value === null ? '\\N' : String(value)))
    .join('\t')}\n`;
}

/** Returns an SQL literal. */
export function literal(value: string | number | null): string {
  if (value === null) return 'null';
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
