import type pg from 'pg';
import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';
import { captureTriggers, enableOnly } from './triggers.js';

/** The client's wait: with network and durable commit, as for Registry. */
export const clientWrites = {
  insert: 'single-row insert, as its client sees it',
  batch: '100-row insert, as its client sees it',
  fixity: 'fixity update, as its client sees it',
} as const;

const table = 'public.generic_files';
const blocks = 60;
const perBlock = 40;
const warmUps = 5;

/**
 * Runs the statements of `measureWrites` from a client, one commit each. Switches capture off and
 * on in turn. The median of each block is one measurement.
 */
export async function measureClientWrites(
  { incremental: { client }, files }: Pair,
  recorder: Recorder,
): Promise<void> {
  const donor = await readDonor(client);
  for (const name of Object.values(clientWrites)) {
    for (let block = 0; block < blocks; block += 1) {
      // The order changes from block to block.
      for (const isCaptured of block % 2 === 0 ? [false, true] : [true, false]) {
        await enableOnly(client, isCaptured ? captureTriggers : undefined);
        const us = await medianOfBlock(client, () => statementOf(name, donor));
        recorder.add(name, isCaptured ? 'incremental' : 'baseline', files, us, 'µs');
      }
    }
    await enableOnly(client, captureTriggers);
    await client.query('select registry_stats.fold()');
  }
}

interface Donor {
  readonly columns: string;
  readonly values: string;
  readonly assignments: string;
  readonly maxId: number;
}

/** Reads a file as the template of new rows. The server quotes its values. */
async function readDonor(client: pg.Client): Promise<Donor> {
  const { rows } = await client.query<Donor>(`
    select
      string_agg(quote_ident(key), ', ' order by key) as columns,
      string_agg(quote_nullable(value), ', ' order by key) as values,
      string_agg(format('%I = %I', key, key), ', ' order by key) as assignments,
      (select max(id) from ${table}) as "maxId"
    from (select * from ${table} order by id limit 1) as file
    cross join lateral jsonb_each_text(to_jsonb(file))
    where key not in ('id', 'identifier', 'uuid', 'updated_at', 'last_fixity_check')`);
  const [donor] = rows;
  if (donor === undefined) throw new Error('expected a file to copy, found none');
  return donor;
}

function statementOf(name: string, { columns, values, assignments, maxId }: Donor): string {
  if (name === clientWrites.fixity) {
    const id = 1 + Math.floor(Math.random() * maxId);
    return `update ${table}
      set ${assignments}, updated_at = localtimestamp, last_fixity_check = localtimestamp
      where id = ${id}`;
  }
  const row = () =>
    `('bench/${crypto.randomUUID()}', '${crypto.randomUUID()}', localtimestamp, ${values})`;
  const rows = Array.from({ length: name === clientWrites.batch ? 100 : 1 }, row);
  return `insert into ${table} (identifier, uuid, updated_at, ${columns}) values ${rows.join(', ')}`;
}

async function medianOfBlock(client: pg.Client, draw: () => string): Promise<number> {
  const times: number[] = [];
  for (let time = -warmUps; time < perBlock; time += 1) {
    const text = draw();
    const startedAt = performance.now();
    await client.query(text);
    if (time >= 0) times.push((performance.now() - startedAt) * 1_000);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? NaN;
}
