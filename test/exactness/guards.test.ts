import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { jobs } from '../../src/jobs/job.js';
import { refresh } from '../../src/jobs/refresh.js';
import { sqlRoot } from '../../src/migrations/sql-files.js';
import { sources } from '../../src/statistics/installation.js';
import type { TestDatabase } from '../support/test-database.js';
import { wrongFigures, wrongRollups } from './truth.js';
import {
  answerOf,
  beginWithSnapshot,
  runAll,
  untilBlocked,
  upToDate,
  writeOfEachTable,
} from './two-sessions.js';

/**
 * A protection that can be switched off, and what then goes wrong. A guard that was never seen to
 * fail may guard nothing: each scenario is run with it and without.
 */
interface Guard {
  readonly switchOff: (target: TestDatabase) => Promise<void>;
  /** Gives what is wrong at the end: nothing, as long as the guard is there. */
  readonly scenario: (target: TestDatabase) => Promise<unknown[]>;
}

const guards: Readonly<Record<string, Guard>> = {
  'the lock that keeps folds apart': {
    switchOff: mutate(
      'try_lock',
      'select pg_try_advisory_xact_lock(1919247220, 102)',
      'select true',
    ),
    scenario: async (target) => {
      const [first, second] = [await target.session(), await target.session()];
      const run = `select registry_stats.run('update_current_deposit_stats')`;
      await target.query(newFile('one', 'Standard'));
      await first.query('begin');
      await first.query(run);
      await target.query(newFile('two', 'Glacier-VA'));
      const waiting = second.query(run);
      await doneOrBlocked(target, second, waiting);
      await first.query('commit');
      await waiting;
      return figuresAfterRuns(target);
    },
  },

  'the table lock of a rebuild in read committed': {
    switchOff: mutate('rebuild', `not in ('repeatable read', 'serializable')`, `in ('never')`),
    scenario: async (target) => {
      const [holder, rebuilder, writer] = [
        await target.session(),
        await target.session(),
        await target.session(),
      ];
      // A pause between the scan and the end of the deltas.
      const definition = await definitionOf(target, 'registry_stats.rebuild(text)');
      await target.query(
        replaceOnce(
          definition,
          'delete from registry_stats.delta',
          'perform pg_advisory_xact_lock(77); delete from registry_stats.delta',
        ),
      );
      await holder.query('begin; select pg_advisory_xact_lock(77)');
      const rebuild = await untilBlocked(
        target,
        rebuilder,
        `select registry_stats.rebuild('work_items')`,
      );
      const write = writer.query(`update public.work_items set action = 'Late' where id = 1`);
      await doneOrBlocked(target, writer, write);
      await holder.query('commit');
      await rebuild.result;
      await write;
      return figuresAfterRuns(target);
    },
  },

  'a rebuild takes the pending changes away that it contains': {
    switchOff: mutate(
      'rebuild',
      'delete from registry_stats.delta where delta.source = rebuild.source;',
      '',
    ),
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      await rebuildAll(target);
      return figuresAfterRuns(target);
    },
  },

  'keys that take NULL for a value': {
    switchOff: async ({ query }) => {
      for (const [table, keys] of [
        ['count_rollup', 'source, institution_id, facet, subfacet'],
        ['deposit_total', 'institution_id, storage_option'],
      ]) {
        await query(
          `alter table registry_stats.${table ?? ''}
          drop constraint ${table ?? ''}_key,
          add constraint ${table ?? ''}_key unique (${keys ?? ''})`,
        );
      }
    },
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      return figuresAfterRuns(target);
    },
  },

  'conditions of the update triggers that take NULL for a value': {
    switchOff: async (target) => {
      await mutate(
        'attach_capture',
        'pg_catalog.record_image_ne(row(%s), row(%s))',
        'row(%s) <> row(%s)',
      )(target);
      await attachAnew(target);
    },
    scenario: async (target) => {
      await target.query(`update public.intellectual_objects set state = null where id = 1`);
      return figuresAfterRuns(target);
    },
  },

  'storage_option among the columns that the update trigger compares': {
    switchOff: async (target) => {
      await mutate('attach_capture', `'storage_option', 'size']`, `'size']`)(target);
      await attachAnew(target);
    },
    scenario: async (target) => {
      await target.query(
        `update public.generic_files set storage_option = 'Wasabi-TX' where id < 9`,
      );
      return figuresAfterRuns(target);
    },
  },

  'the fingerprint of table and triggers': {
    switchOff: async (target) => {
      await target.query(
        `create or replace function registry_stats.fingerprint(source text) returns text
        language sql stable as $$ select 'always the same' $$`,
      );
      await target.query(`update registry_stats.source set fingerprint = 'always the same'`);
    },
    scenario: async (target) => {
      await target.query('alter table public.work_items disable trigger registry_stats_update');
      await target.query(`update public.work_items set action = 'Unseen'`);
      await target.query('alter table public.work_items enable trigger registry_stats_update');
      return figuresAfterRuns(target);
    },
  },

  'a disabled trigger counts as none': {
    switchOff: mutate('fingerprint', `and pg_trigger.tgenabled in ('O', 'A')`, ''),
    scenario: async (target) => {
      await target.query('alter table public.work_items disable trigger registry_stats_update');
      await rebuildUnlessIncomplete(target);
      await target.query(`update public.work_items set action = 'Unseen'`);
      return figuresAfterRuns(target);
    },
  },

  // Either of the two is enough.
  'the mark of a truncate, and the file of the table in the fingerprint': {
    switchOff: async (target) => {
      await mutate(
        'capture_truncate',
        `values (coalesce(tg_argv[0], tg_table_name), true, 0)`,
        `select '', true, 0 where false`,
      )(target);
      await mutate(
        'fingerprint',
        `format('%s/%s/', pg_class.oid, pg_class.relfilenode)`,
        `format('%s/', pg_class.oid)`,
      )(target);
      await rebuildAll(target);
    },
    scenario: async (target) => {
      await target.query('truncate public.premis_events cascade');
      return figuresAfterRuns(target);
    },
  },

  'a table that was renamed counts no more': {
    switchOff: mutate('is_counted', 'return false', 'return true'),
    scenario: async (target) => {
      await target.query('alter table public.work_items rename to old_items');
      await target.query('create table public.work_items as table public.old_items');
      await figuresAfterRuns(target);
      await target.query(`update public.old_items set action = 'Old'`);
      return figuresAfterRuns(target);
    },
  },

  'the mark of what was written to a table while it was away': {
    switchOff: mutate(
      'is_counted',
      `strpos(';' || source.fingerprint`,
      `-strpos(';' || source.fingerprint`,
    ),
    scenario: async (target) => {
      await target.query('alter table public.work_items rename to old_items');
      await target.query(`update public.old_items set action = 'Unseen'`);
      await target.query('alter table public.old_items rename to work_items');
      return figuresAfterRuns(target);
    },
  },

  'an object counts once, whatever it had before': {
    switchOff: mutate(
      'fold',
      '(sum(touched.before + touched.file_count) > 0)::int - (sum(touched.before) > 0)::int',
      '(sum(touched.file_count) > 0)::int',
    ),
    scenario: async (target) => {
      await target.query(newFile('one', 'Standard'));
      await runAll(target.query);
      await target.query(newFile('two', 'Standard'));
      return figuresAfterRuns(target);
    },
  },

  'pending changes are work': {
    switchOff: mutate(
      'has_work',
      'return registry_stats.has_pending()\n    or registry',
      'return registry',
    ),
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      return figuresAfterRuns(target);
    },
  },

  'another price makes the deposits due': {
    switchOff: mutate(
      'due_views',
      'and shown.cost_gb_per_month is distinct from option.cost_gb_per_month',
      'and false',
    ),
    scenario: async (target) => {
      await target.query(`update public.storage_options set cost_gb_per_month = 7`);
      return figuresAfterRuns(target);
    },
  },

  'a fold marks views that are due already, for runs with an older snapshot': {
    switchOff: mutate('fold', 'where case when name', 'where not is_due and case when name'),
    scenario: async (target) => {
      const runner = await target.session();
      await target.query(`update public.generic_files set state = 'D' where id = 1`);
      await target.query(`select registry_stats.run('update_counts')`);
      await beginWithSnapshot(runner, 'repeatable read');
      await target.query(writeOfEachTable);
      await target.query(`select registry_stats.run('update_counts')`);
      await answerOf(runner, `select registry_stats.run('update_current_deposit_stats')`);
      await runner.query('commit');
      return figuresAfterRuns(target);
    },
  },

  'history runs with an older snapshot fail': {
    switchOff: mutate(
      'insert_history',
      `where name = 'populate_all_historical_deposit_stats'`,
      'where false',
    ),
    scenario: async (target) => {
      await target.query(`update public.generic_files set state = 'D'`);
      const second = await target.session();
      await beginWithSnapshot(second, 'repeatable read');
      await target.query('select registry_stats.run_history()');
      await answerOf(second, 'select registry_stats.run_history()');
      await second.query('commit');
      return target.query(
        `select end_date, count(*) from public.historical_deposit_stats
        where institution_id is null and storage_option = 'Total'
        group by end_date having count(*) > 1`,
      );
    },
  },

  'a swap gives way to readers in time': {
    switchOff: mutate('replace_view', `set lock_timeout = '150ms'`, ''),
    scenario: async (target) => {
      await target.query('update registry_stats.view set is_incremental = false');
      const [reader, migrator] = [await target.session(), await target.session()];
      await migrator.query(`set deadlock_timeout = '30s'`);
      await reader.query(`set deadlock_timeout = '1s'`);
      await reader.query('begin');
      await reader.query('select count(*) from public.work_item_counts');
      await untilBlocked(target, migrator, 'select registry_stats.swap_views()');
      const answer = await answerOf(
        reader,
        'select 1 as n from public.generic_file_counts limit 1',
      );
      return typeof answer === 'string' ? [answer] : [];
    },
  },
};

test.each(Object.keys(guards))('without this guard figures go wrong: %s', async (name) => {
  const { scenario, switchOff } = guards[name] ?? {};
  const intact = await upToDate();
  expect(await scenario?.(intact)).toEqual([]);

  const bare = await upToDate();
  await switchOff?.(bare);
  expect(await scenario?.(bare)).not.toEqual([]);
});

/** Replaces a part of a function's file, which must be there once. */
function mutate(name: string, part: string, by: string): Guard['switchOff'] {
  return async ({ query }) => {
    const file = await readFile(path.join(sqlRoot, 'functions', `${name}.sql`), 'utf8');
    await query(replaceOnce(file, part, by));
  };
}

function replaceOnce(text: string, part: string, by: string): string {
  expect(text.split(part), part).toHaveLength(2);
  return text.replace(part, () => by);
}

async function definitionOf({ query }: TestDatabase, name: string): Promise<string> {
  const [row] = await query<{ text: string }>(
    'select pg_get_functiondef($1::regprocedure) as text',
    [name],
  );
  return row?.text ?? '';
}

/** What is shown or summed up wrongly after the daemon has come by, twice. */
async function figuresAfterRuns({ database, query }: TestDatabase): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const job of [...jobs.slice(0, 2), ...jobs.slice(0, 2)]) {
    await refresh(
      database,
      job,
      { trigger: 'schedule', jobs: [job.name], isManual: false, isForced: false },
      { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 },
    ).catch((error: unknown) => failures.push(error));
  }
  return [...failures, ...(await wrongFigures(query, 'public.')), ...(await wrongRollups(query))];
}

async function rebuildAll({ query }: TestDatabase): Promise<void> {
  for (const source of sources) {
    await query('begin isolation level repeatable read');
    await query('select registry_stats.rebuild($1)', [source]);
    await query('commit');
  }
}

async function rebuildUnlessIncomplete({ session }: TestDatabase): Promise<void> {
  const client = await session();
  await client.query('begin isolation level repeatable read');
  await answerOf(client, `select registry_stats.rebuild('work_items')`);
  await client.query('commit');
}

async function attachAnew(target: TestDatabase): Promise<void> {
  for (const source of sources) {
    await target.query(`drop trigger registry_stats_update on public.${source}`);
    await target.query('select registry_stats.attach_capture($1)', [source]);
  }
  await rebuildAll(target);
}

/** A further file of one object that has none so far. */
function newFile(name: string, option: string): string {
  return `insert into public.generic_files
      (identifier, uuid, size, state, institution_id, intellectual_object_id, storage_option,
      created_at, updated_at)
    values ('${name}', '${name}', 1, 'A', 2, 4711, '${option}', now(), now())`;
}

/** Waits until the statement has ended, or the server says that it waits for another session. */
async function doneOrBlocked(
  { query }: TestDatabase,
  client: Awaited<ReturnType<TestDatabase['session']>>,
  statement: Promise<unknown>,
): Promise<void> {
  let isDone = false;
  const done = statement.finally(() => {
    isDone = true;
  });
  const { processID } = client as unknown as { processID: number };
  const blocked = expect
    .poll(
      async () => {
        const [row] = await query<{ blocked: boolean }>(
          'select cardinality(pg_blocking_pids($1)) > 0 as blocked',
          [processID],
        );
        return isDone || row?.blocked === true;
      },
      { interval: 10, timeout: 30_000 },
    )
    .toBe(true);
  await Promise.race([done, blocked]);
  await blocked;
}
