import type pg from 'pg';
import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';
import { statements, type WriteStatement } from './write-statements.js';

/**
 * Measures the cost of capture for a writer, in one session, by the server's clock. It switches
 * capture off and on in turn, with a block of statements each, and compares the medians of paired
 * blocks. Each statement is parsed, planned, run and committed, like Registry's. Network and disk
 * waits are not included. Leaves capture on.
 */
export async function measureWrites(
  { incremental: { client }, files }: Pair,
  recorder: Recorder,
): Promise<void> {
  await client.query('set synchronous_commit = off');
  for (const statement of statements(files)) {
    await client.query(
      'create temporary table bench_timing (block int, is_captured boolean, us float8)',
    );
    await client.query(blocksOf(statement));
    for (const { isCaptured, us } of await medians(client)) {
      const subject = isCaptured ? 'incremental' : 'baseline';
      recorder.add(statement.name, subject, files, us, 'µs');
    }
    await client.query('drop table bench_timing');
    await client.query('select registry_stats.fold()');
  }
}

async function medians(client: pg.Client): Promise<{ isCaptured: boolean; us: number }[]> {
  const { rows } = await client.query<{ isCaptured: boolean; us: number }>(
    `select is_captured as "isCaptured", percentile_cont(0.5) within group (order by us) as us
    from bench_timing
    group by block, is_captured
    order by block, is_captured`,
  );
  return rows;
}

/** Returns the blocks. The first statements after a switch fill caches and are not counted. */
function blocksOf({ table, blocks, perBlock, declare, draw }: WriteStatement): string {
  const warmUps = perBlock > 1 ? 5 : 0;
  const toggle = (state: string) =>
    ['insert', 'update', 'delete', 'truncate']
      .map((event) => `alter table ${table} ${state} trigger registry_stats_${event};`)
      .join(' ');
  return `
    do $$
    declare
      v_began timestamptz;
      v_draw bigint;
      v_row int := 0;
      v_sql text;
      ${declare}
    begin
      for v_block in 1 .. ${blocks} loop
        for v_turn in 0 .. 1 loop
          -- Who is first changes from block to block.
          if (v_block + v_turn) % 2 = 0 then ${toggle('enable')} else ${toggle('disable')} end if;
          for v_time in 1 .. ${perBlock + warmUps} loop
            v_row := v_row + 1;
            v_draw := hashint8extended(v_row, 77) & 9007199254740991;
            ${draw}
            commit;
            v_began := clock_timestamp();
            execute v_sql;
            commit;
            if v_time > ${warmUps} then
              insert into bench_timing
              values (
                v_block, (v_block + v_turn) % 2 = 0,
                extract(epoch from clock_timestamp() - v_began) * 1e6
              );
            end if;
          end loop;
        end loop;
      end loop;
      ${toggle('enable')}
    end
    $$`;
}
