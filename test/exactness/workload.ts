import { sources, type Source } from '../../src/statistics/installation.js';
import { RandomNumbers } from './random-numbers.js';
import { captured, literal, newRow, toCopyLine, uncaptured, type Row } from './rows.js';

/** One step of a writer in a transaction. */
export type Step =
  | { readonly kind: 'sql'; readonly text: string; readonly isCounted: boolean }
  | { readonly kind: 'copy'; readonly into: string; readonly lines: readonly string[] }
  | { readonly kind: 'savepoint'; readonly steps: readonly Step[]; readonly isKept: boolean };

/** The end of a transaction: `late` waits for a fold first, `prepared-…` is decided later. */
type Ending =
  | 'commit'
  | 'rollback'
  | 'late'
  | 'prepared-commit'
  | 'prepared-rollback'
  /** Its last two updates deadlock with a second session. */
  | 'duel';

export interface Plan {
  readonly isolation: 'read committed' | 'repeatable read' | 'serializable';
  readonly steps: readonly Step[];
  readonly ending: Ending;
}

const maxRowsOfATable = 10_000;

/** Returns the transaction of this seed; it does not depend on the database. */
export function planTransaction(seed: number, session: number, index: number): Plan {
  const random = new RandomNumbers(seed, session, index);
  const name = `${String(seed)}-${String(session)}-${String(index)}`;
  const special = random.weighted({ none: 990, truncate: 4, 'past-capture': 3, reset: 1 });
  const isolation = random.weighted<Plan['isolation']>({
    'read committed': 70,
    'repeatable read': 15,
    serializable: 15,
  });
  const steps =
    special === 'none'
      ? Array.from({ length: random.int(1, 4) }, (_, step) =>
          planStep(random, `${name}-${String(step)}`, true),
        )
      : planSpecial(special, random, name);
  // A transaction with a temporary table cannot be prepared.
  const mayBePrepared = !steps.includes(keepInstitutions);
  const ending = random.weighted<Ending>({
    commit: 78,
    rollback: 7,
    late: 4,
    'prepared-commit': mayBePrepared ? 5 : 0,
    'prepared-rollback': mayBePrepared ? 2 : 0,
    duel: 4,
  });
  return { isolation, steps, ending };
}

function planStep(random: RandomNumbers, name: string, mayNest: boolean): Step {
  const source = random.pick(sources);
  const kind = random.weighted({
    insert: 14,
    'insert-many': 10,
    copy: 10,
    'on-conflict': 10,
    update: 18,
    'update-many': 12,
    'name-all': 6,
    uncaptured: 5,
    delete: 8,
    'delete-many': 5,
    nothing: 2,
    savepoint: mayNest ? 12 : 0,
  });
  switch (kind) {
    case 'insert':
      return sql(insert(source, [newRow(source, random, name)]));
    case 'insert-many':
      return sql(insert(source, newRows(source, random, name, random.int(2, 60))));
    case 'copy': {
      const rows = newRows(source, random, name, random.int(50, 700));
      const into = `public.${source} (${Object.keys(rows[0] ?? {}).join(', ')})`;
      return { kind: 'copy', into, lines: rows.map(toCopyLine) };
    }
    case 'on-conflict':
      return sql(upsert(source, random));
    case 'update':
      return sql(update(source, changeSome(source, random), some(source, random, 1)));
    case 'update-many':
      return sql(update(source, changeSome(source, random), some(source, random, 400)));
    case 'name-all':
      return sql(update(source, nameAll(source, random), some(source, random, 20)));
    case 'uncaptured':
      return sql(update(source, uncaptured[source], some(source, random, 100)), false);
    case 'delete':
      return sql(`delete from public.${source} where ${some(source, random, 2)}`);
    case 'delete-many':
      return sql(`delete from public.${source} where ${someAndSurplus(source, random, 300)}`);
    case 'nothing':
      return sql(`delete from public.${source} where id < 0`);
    case 'savepoint':
      return {
        kind: 'savepoint',
        isKept: random.chance(0.5),
        steps: Array.from({ length: random.int(1, 3) }, (_, step) =>
          planStep(random, `${name}-s${String(step)}`, false),
        ),
      };
  }
}

/**
 * Returns rare steps: truncate, rows that bypass the triggers, an emptied table with its
 * references.
 */
function planSpecial(
  kind: 'truncate' | 'past-capture' | 'reset',
  random: RandomNumbers,
  name: string,
): Step[] {
  const source = random.pick(sources);
  const rows = newRows(source, random, name, 30);
  switch (kind) {
    case 'truncate':
      // institutions refers to work_items.
      return source === 'work_items'
        ? planSpecial('reset', random, name)
        : [sql(`truncate public.${source} cascade`, false), sql(insert(source, rows))];
    case 'past-capture':
      return [
        sql(`alter table public.${source} disable trigger registry_stats_insert`, false),
        sql(insert(source, rows)),
        sql(`alter table public.${source} enable trigger registry_stats_insert`, false),
      ];
    case 'reset':
      return [
        keepInstitutions,
        sql('truncate public.work_items cascade', false),
        sql('insert into public.institutions select * from kept', false),
      ];
  }
}

/** Institutions are truncated with the work items they refer to. */
const keepInstitutions = sql(
  'create temporary table kept on commit drop as select * from public.institutions',
  false,
);

function sql(text: string, isCounted = true): Step {
  return { kind: 'sql', text, isCounted };
}

function newRows(source: Source, random: RandomNumbers, name: string, count: number): Row[] {
  return Array.from({ length: count }, (_, row) =>
    newRow(source, random, `${name}-${String(row)}`),
  );
}

export function insert(source: Source, rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  const values = rows.map((row) => `(${Object.values(row).map(literal).join(', ')})`);
  return `insert into public.${source} (${columns}) values ${values.join(', ')}`;
}

/** Inserts new rows, and updates or skips existing ones. */
function upsert(source: Source, random: RandomNumbers): string {
  const hot = new Set(Array.from({ length: random.int(1, 8) }, () => random.int(1, 80)));
  // In one order, so that this alone causes no deadlock.
  const rows = [...hot]
    .sort((one, other) => one - other)
    .map((number): Row => {
      const row = newRow(source, random, `hot-${String(number)}`);
      return source === 'work_items' ? { ...row, id: number } : row;
    });
  const key = source === 'work_items' ? 'id' : 'identifier';
  const set = Object.keys(captured[source]).map((column) => `${column} = excluded.${column}`);
  const action = random.chance(0.7) ? `update set ${set.join(', ')}` : 'nothing';
  return `${insert(source, rows)} on conflict (${key}) do ${action}`;
}

function update(source: Source, assignments: string, condition: string): string {
  return `update public.${source} set ${assignments} where ${condition}`;
}

/** Changes one or more captured columns. */
export function changeSome(source: Source, random: RandomNumbers): string {
  const columns = Object.entries(captured[source]);
  const count = random.int(1, columns.length);
  const first = random.int(0, columns.length - 1);
  return Array.from({ length: count }, (_, offset) => {
    const [column, make] = columns[(first + offset) % columns.length] ?? random.pick(columns);
    return `${column} = ${literal(make(random))}`;
  }).join(', ');
}

/** Updates like an ORM: it names every column, and most keep their value. */
function nameAll(source: Source, random: RandomNumbers): string {
  const columns = Object.entries(captured[source]);
  const changed = random.chance(0.5) ? random.pick(columns)[0] : undefined;
  return [
    ...columns.map(
      ([column, make]) => `${column} = ${column === changed ? literal(make(random)) : column}`,
    ),
    'updated_at = clock_timestamp()',
  ].join(', ');
}

/** Returns a condition that matches up to `most` rows. */
function some(source: Source, random: RandomNumbers, most: number): string {
  return someOf(source, random, String(random.int(1, most)));
}

/** Returns the same, and more rows for a table that has grown too large. */
function someAndSurplus(source: Source, random: RandomNumbers, most: number): string {
  const surplus = `(select count(*) from public.${source}) - ${String(maxRowsOfATable)}`;
  return someOf(source, random, `greatest(${String(random.int(1, most))}, ${surplus})`);
}

function someOf(source: Source, random: RandomNumbers, count: string): string {
  const table = `public.${source}`;
  const from = random.next().toFixed(6);
  return `id in (
    select id from ${table}
    where id >= (select min(id) + floor((max(id) - min(id)) * ${from})::int from ${table})
    order by id
    limit ${count}
  )`;
}
