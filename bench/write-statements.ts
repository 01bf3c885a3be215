/** One kind of statement of a writer's, as parts of a block in plpgsql. */
export interface WriteStatement {
  readonly name: string;
  readonly table: string;
  readonly blocks: number;
  readonly perBlock: number;
  readonly declare: string;
  /** Not timed: what the statement needs to know. */
  readonly draw: string;
  /** Timed. */
  readonly run: string;
}

export const writes = {
  insert: 'single-row insert of a file',
  event: 'single-row insert of an event',
  batch: '100-row insert of files',
  fixity: 'fixity update of a file',
  bulk: 'state change of 100,000 files',
} as const;

const fileColumns = `file_format, size, identifier, intellectual_object_id, created_at, updated_at,
  state, institution_id, storage_option, uuid, mod_time`;

const file = (suffix: string) => `
  'text/plain', v_draw % 10000000, 'bench/write/' || v_row || ${suffix}, v_object.id, localtimestamp,
  localtimestamp, 'A', v_object.institution_id, v_object.storage_option, gen_random_uuid(),
  localtimestamp`;

const anObject = `
  select * into v_object
  from public.intellectual_objects
  where id >= 1 + v_draw % v_objects and institution_id is not null
  order by id
  limit 1;`;

export function statements(files: number): WriteStatement[] {
  const declareObject = `
    v_object public.intellectual_objects;
    v_objects bigint := (select max(id) from public.intellectual_objects);`;
  const table = 'public.generic_files';
  const bulkRows = Math.min(100_000, Math.floor(files / 20));
  return [
    {
      name: writes.insert,
      table,
      blocks: 60,
      perBlock: 60,
      declare: declareObject,
      draw: anObject,
      run: `insert into ${table} (${fileColumns}) values (${file("''")});`,
    },
    {
      name: writes.event,
      table: 'public.premis_events',
      blocks: 60,
      perBlock: 60,
      declare: declareObject,
      draw: anObject,
      run: `insert into public.premis_events (
          identifier, event_type, date_time, outcome_detail, detail, object, agent,
          intellectual_object_id, created_at, updated_at, outcome, institution_id
        )
        values (
          gen_random_uuid(), 'fixity check', localtimestamp, 'bench', 'bench', 'bench', 'bench',
          v_object.id, localtimestamp, localtimestamp, 'Success', v_object.institution_id
        );`,
    },
    {
      name: writes.batch,
      table,
      blocks: 20,
      perBlock: 15,
      declare: declareObject,
      draw: anObject,
      run: `insert into ${table} (${fileColumns})
        select ${file("'/' || part")} from generate_series(1, 100) as part;`,
    },
    {
      name: writes.fixity,
      table,
      blocks: 60,
      perBlock: 60,
      declare: `v_file ${table}; v_files bigint := (select max(id) from ${table});`,
      draw: `select * into v_file from ${table} where id >= 1 + v_draw % v_files order by id limit 1;`,
      // As the ORM does: every column is in the list.
      run: `update ${table}
        set file_format = v_file.file_format, size = v_file.size, identifier = v_file.identifier,
          intellectual_object_id = v_file.intellectual_object_id, created_at = v_file.created_at,
          updated_at = localtimestamp, state = v_file.state, last_fixity_check = localtimestamp,
          institution_id = v_file.institution_id, storage_option = v_file.storage_option,
          uuid = v_file.uuid, mod_time = v_file.mod_time
        where id = v_file.id;`,
    },
    {
      name: writes.bulk,
      table,
      blocks: 3,
      perBlock: 1,
      declare: '',
      draw: '',
      run: `update ${table} set state = case state when 'A' then 'D' else 'A' end
        where id > (v_row - 1) * ${bulkRows} and id <= v_row * ${bulkRows};`,
    },
  ];
}
