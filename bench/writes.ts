import type pg from 'pg';
import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';
import { statements, type WriteStatement } from './write-statements.js';

/**
 * What capture costs the writer, by the server's own clock, in one session and one transaction that
 * is rolled back: capture is switched off and on again in turn, a block of statements each, and the
 * medians of a pair of blocks are compared. No commit, no network and no parsing is in the figures, so
 * the share of capture is larger here than it is for Registry.
 */
export async function measureWrites(
  { incremental: { client }, files }: Pair,
  recorder: Recorder,
): Promise<void> {
  for (const statement of statements(files)) {
    await client.query('begin');
    try {
      await client.query(`create temporary table bench_timing (
        block int, is_captured boolean, us float8) on commit drop`);
      await client.query(blocksOf(statement));
      for (const { isCaptured, us } of await medians(client)) {
        const subject = isCaptured ? 'incremental' : 'baseline';
        recorder.add(statement.name, subject, files, us, 'µs');
      }
    } finally {
      await client.query('rollback');
    }
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

/** The first statements after the switch are planned anew and not counted. */
function blocksOf({ table, blocks, perBlock, declare, draw, run }: WriteStatement): string {
  const warmUps = perBlock > 1 ? 5 : 0;
  const triggers = ['insert', 'update', 'delete', 'truncate'];
  const toggle = (state: string) =>
    triggers
      .map((event) => `alter table ${table} ${state} trigger registry_stats_${event};`)
      .join(' ');
  return `
    do $$
    declare
      v_began timestamptz;
      v_draw bigint;
      v_row int := 0;
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
            v_began := clock_timestamp();
            ${run}
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
    end
    $$`;
}
