import type pg from 'pg';

/**
 * Adds new files to existing objects, and events of all kinds, like an ingest. One statement per
 * row, which is the most expensive form for capture. The same seed creates the same rows.
 */
export async function ingest(client: pg.Client, rows: number, seed: number): Promise<void> {
  await client.query(`set synchronous_commit = off`);
  await client.query(ingestBlock(rows, seed));
  await client.query('reset synchronous_commit');
}

/** Returns SQL with the numbers in it: a `do` block takes no parameters. */
function ingestBlock(rows: number, seed: number): string {
  return `
    do $$
    declare
      v_object public.intellectual_objects;
      v_objects bigint := (select max(id) from public.intellectual_objects);
      v_kinds text[] := array['ingestion', 'fixity check', 'message digest calculation', 'deletion'];
      v_draw bigint;
    begin
      for v_row in 1 .. ${rows} loop
        v_draw := hashint8extended(v_row, ${seed}) & 9007199254740991;
        select * into v_object
        from public.intellectual_objects
        where id >= 1 + v_draw % v_objects and institution_id is not null
        order by id
        limit 1;
        insert into public.generic_files (
          file_format, size, identifier, intellectual_object_id, created_at, updated_at, state,
          institution_id, storage_option, uuid, mod_time
        )
        values (
          'text/plain', v_draw % 10000000, 'bench/' || gen_random_uuid(), v_object.id,
          localtimestamp, localtimestamp, 'A', v_object.institution_id, v_object.storage_option,
          gen_random_uuid(), localtimestamp
        );
        insert into public.premis_events (
          identifier, event_type, date_time, outcome_detail, detail, object, agent,
          intellectual_object_id, created_at, updated_at, outcome, institution_id
        )
        values (
          gen_random_uuid(), v_kinds[1 + v_draw % 4], localtimestamp, 'bench', 'bench',
          'preservation services', 'https://agent.example.edu', v_object.id, localtimestamp,
          localtimestamp, case when v_draw % 50 = 0 then 'Failed' else 'Success' end,
          v_object.institution_id
        );
        if v_row % 1000 = 0 then commit; end if;
      end loop;
    end
    $$`;
}
