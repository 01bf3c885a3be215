/** One kind of a writer's statement, as parts of a plpgsql block. */
export interface WriteStatement {
  readonly name: string;
  readonly table: string;
  readonly blocks: number;
  readonly perBlock: number;
  readonly declare: string;
  /** Sets v_sql to the statement; not timed. */
  readonly draw: string;
}

export const writes = {
  insert: 'single-row insert of a file',
  event: 'single-row insert of an event',
  batch: '100-row insert of files',
  fixity: 'fixity update of a file',
  bulk: 'state change of 100,000 files',
} as const;

const table = 'public.generic_files';
const fileColumns = [
  'file_format',
  'size',
  'identifier',
  'intellectual_object_id',
  'created_at',
  'updated_at',
  'state',
  'last_fixity_check',
  'institution_id',
  'storage_option',
  'uuid',
  'mod_time',
];

const declareObject = `
  v_object public.intellectual_objects;
  v_objects bigint := (select max(id) from public.intellectual_objects);`;

const drawObject = `
  select * into v_object
  from public.intellectual_objects
  where id >= 1 + v_draw % v_objects and institution_id is not null
  order by id
  limit 1;`;

/** Returns the quoted values of a new file of v_object. */
const newFile = (identifier: string) => `format(
  '(%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L)',
  'text/plain', v_draw % 10000000, ${identifier}, v_object.id, localtimestamp, localtimestamp, 'A',
  localtimestamp, v_object.institution_id, v_object.storage_option, gen_random_uuid(), localtimestamp
)`;

const insertFiles = `insert into ${table} (${fileColumns.join(', ')}) values `;

export function statements(files: number): WriteStatement[] {
  const bulkRows = Math.min(100_000, Math.floor(files / 20));
  const quick = { blocks: 80, perBlock: 60 };
  return [
    {
      ...quick,
      name: writes.insert,
      table,
      declare: declareObject,
      draw: `${drawObject} v_sql := '${insertFiles}' || ${newFile(`'bench/one/' || v_row`)};`,
    },
    {
      ...quick,
      name: writes.event,
      table: 'public.premis_events',
      declare: declareObject,
      draw: `${drawObject} v_sql := format(
        'insert into public.premis_events (identifier, event_type, date_time, outcome_detail, detail,
          object, agent, intellectual_object_id, created_at, updated_at, outcome, institution_id)
        values (%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L)',
        gen_random_uuid(), 'fixity check', localtimestamp, 'bench', 'bench', 'bench', 'bench',
        v_object.id, localtimestamp, localtimestamp, 'Success', v_object.institution_id
      );`,
    },
    {
      name: writes.batch,
      table,
      blocks: 30,
      perBlock: 15,
      declare: declareObject,
      draw: `${drawObject}
        select '${insertFiles}' || string_agg(${newFile(`'bench/batch/' || v_row || '/' || part`)}, ', ')
        into v_sql
        from generate_series(1, 100) as part;`,
    },
    {
      ...quick,
      name: writes.fixity,
      table,
      declare: `v_file ${table}; v_files bigint := (select max(id) from ${table});`,
      // Like an ORM: every column is in the list.
      draw: `
        select * into v_file from ${table} where id >= 1 + v_draw % v_files order by id limit 1;
        v_file.updated_at := localtimestamp;
        v_file.last_fixity_check := localtimestamp;
        v_sql := format(
          'update ${table} set ${fileColumns.map((name) => `${name} = %L`).join(', ')} where id = %L',
          ${fileColumns.map((name) => `v_file.${name}`).join(', ')}, v_file.id
        );`,
    },
    {
      name: writes.bulk,
      table,
      blocks: 3,
      perBlock: 1,
      declare: '',
      draw: `v_sql := format(
        'update ${table} set state = case state when ''A'' then ''D'' else ''A'' end
        where id > %s and id <= %s', (v_row - 1) * ${bulkRows}, v_row * ${bulkRows}
      );`,
    },
  ];
}
