import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { jobs } from '../../src/jobs/job.js';
import { beginRound } from '../../src/jobs/outcome.js';
import { refresh } from '../../src/statistics/refresh.js';
import { sqlRoot } from '../../src/schema/sql-files.js';
import { sources } from '../../src/statistics/installation.js';
import type { TestDatabase } from '../support/test-database.js';
import { wrongFigures, wrongHistory, wrongRollups } from './truth.js';
import {
  resultOf,
  beginWithSnapshot,
  runAll,
  untilBlocked,
  upToDate,
  writeOfEachTable,
} from './two-sessions.js';
import { viewsOverTables } from '../support/views-over-tables.js';
import { queryOn } from './workers.js';

/**
 * A protection that can be switched off, and what then fails. Each scenario runs with and without
 * it, because a guard that never failed may guard nothing.
 */
interface Guard {
  readonly switchOff: (target: TestDatabase) => Promise<void>;
  /** Returns what is wrong at the end: nothing with the guard. */
  readonly scenario: (target: TestDatabase) => Promise<unknown[]>;
}

const guards: Readonly<Record<string, Guard>> = {
  // Either of the two is enough.
  'the lock that separates folds, and the row that each writes first': {
    switchOff: async (target) => {
      await withoutLock(target);
      await withoutEpoch(target);
    },
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

  'the row that each fold writes, for rebuilds with an older snapshot': {
    switchOff: withoutEpoch,
    scenario: async (target) => {
      await target.query(newFile('standard', 'Standard'));
      await target.query(newFile('other', 'Glacier-VA', 4712));
      await runAll(target.query);
      // Without the guard the fold counts object 4711 as new, and the rebuild repairs a row it does
      // not write.
      await target.query('delete from registry_stats.deposit_rollup where object_key = 4711');
      const rebuilder = await target.session();
      await beginWithSnapshot(rebuilder, 'repeatable read');
      await target.query(newFile('glacier', 'Glacier-VA'));
      await target.query(`delete from public.generic_files where identifier = 'other'`);
      await target.query(`select registry_stats.run('update_counts')`);
      await resultOf(rebuilder, `select registry_stats.rebuild('generic_files')`);
      await rebuilder.query('commit');
      return figuresAfterRuns(target);
    },
  },

  'the lock that separates history runs': {
    switchOff: withoutLock,
    scenario: async (target) => {
      await target.query(`update public.generic_files set state = 'D'`);
      const [first, second] = [await target.session(), await target.session()];
      const run = 'select registry_stats.run_history()';
      await first.query('begin');
      await first.query(run);
      const waiting = second.query(run);
      await doneOrBlocked(target, second, waiting);
      await first.query('commit');
      await waiting;
      return monthsTwice(target);
    },
  },

  'the table lock of a rebuild in read committed': {
    switchOff: mutate(
      'trust/rebuild',
      `not in ('repeatable read', 'serializable')`,
      `in ('never')`,
    ),
    scenario: async (target) => {
      const [holder, rebuilder, writer] = [
        await target.session(),
        await target.session(),
        await target.session(),
      ];
      // A pause between the scan and the deletion of the deltas.
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

  'a rebuild deletes the pending changes that it includes': {
    switchOff: mutate(
      'trust/rebuild',
      'delete from registry_stats.delta where delta.source = rebuild.source;',
      '',
    ),
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      await rebuildAll(target);
      return figuresAfterRuns(target);
    },
  },

  'keys that treat NULL as a value': {
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

  'conditions of the update triggers that treat NULL as a value': {
    switchOff: async (target) => {
      await mutate(
        'capture/attach_capture',
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
      await mutate(
        'capture/attach_capture',
        'where captured.name is not null;',
        `where captured.name is not null and captured.slot <> 'storage_option';`,
      )(target);
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
      await mutate(
        'trust/fingerprints',
        `columns.identity || ';' || captured.identity`,
        `'always the same'`,
      )(target);
      await rebuildAll(target);
    },
    scenario: async (target) => {
      await target.query('alter table public.work_items disable trigger registry_stats_update');
      await target.query(`update public.work_items set action = 'Unseen'`);
      await target.query('alter table public.work_items enable trigger registry_stats_update');
      return figuresAfterRuns(target);
    },
  },

  'a disabled trigger counts as none': {
    switchOff: mutate('trust/fingerprints', `and tgenabled in ('O', 'A')`, ''),
    scenario: async (target) => {
      await target.query('alter table public.work_items disable trigger registry_stats_update');
      await rebuildUnlessIncomplete(target);
      await target.query(`update public.work_items set action = 'Unseen'`);
      return figuresAfterRuns(target);
    },
  },

  'the captured columns in the fingerprint': {
    switchOff: async (target) => {
      await mutate(
        'trust/fingerprints',
        `found.attnum || ' ' || found.attname || ' ' || found.atttypid`,
        `'any'`,
      )(target);
      await rebuildAll(target);
    },
    scenario: async (target) => {
      await target.query('alter table public.work_items rename action to old_action');
      await target.query(`alter table public.work_items add column action varchar default 'New'`);
      const atFirst = await figuresAfterRuns(target);
      await target.query(`update public.work_items set action = 'Newer' where id < 5`);
      return [...atFirst, ...(await figuresAfterRuns(target))];
    },
  },

  'rollups that others wrote are untrusted': {
    switchOff: mutate('trust/guard_rollups', `is distinct from 'on'`, `= 'never'`),
    scenario: async (target) => {
      await target.query('update registry_stats.count_rollup set row_count = row_count + 1');
      return figuresAfterRuns(target);
    },
  },

  'rollups that others may have written while their triggers were off are untrusted': {
    switchOff: async ({ query }) => {
      await query(
        `create or replace function registry_stats.guards() returns text
        language sql stable as $$ select 'always the same' $$`,
      );
      await query(`update registry_stats.epoch set guards = 'always the same'`);
    },
    scenario: async (target) => {
      const table = 'alter table registry_stats.count_rollup';
      await target.query(`${table} disable trigger registry_stats_guard`);
      await target.query('update registry_stats.count_rollup set row_count = row_count + 1');
      await target.query(`${table} enable always trigger registry_stats_guard`);
      return figuresAfterRuns(target);
    },
  },

  // Without the first, a rebuild fails.
  'a guard that others disabled or dropped is created before a rebuild, or nothing is rebuilt': {
    switchOff: async (target) => {
      await mutate(
        'capture/attach_capture',
        'perform registry_stats.install_guards();',
        '',
      )(target);
      await mutate('trust/rebuild', ` or registry_stats.guards() = 'incomplete'`, '')(target);
    },
    scenario: async (target) => {
      await target.query(
        'alter table registry_stats.count_rollup disable trigger registry_stats_guard',
      );
      await target.query('drop trigger registry_stats_guard on registry_stats.deposit_total');
      await rebuildAll(target);
      await target.query('update registry_stats.count_rollup set row_count = row_count + 1');
      await target.query('update registry_stats.deposit_total set file_count = file_count + 1');
      return figuresAfterRuns(target);
    },
  },

  'a record written by others makes no table trusted': {
    switchOff: mutate('trust/guard_record', 'if new.is_exact and', 'if false and'),
    scenario: async (target) => {
      await target.query('alter table public.work_items disable trigger registry_stats_update');
      await target.query(`update public.work_items set action = 'Unseen'`);
      await target.query('alter table public.work_items enable trigger registry_stats_update');
      await target.query(
        `update registry_stats.source set fingerprint = registry_stats.fingerprint(name)`,
      );
      return figuresAfterRuns(target);
    },
  },

  // Either of the two is enough.
  'the mark of a truncate, and the file of the table in the fingerprint': {
    switchOff: async (target) => {
      await mutate(
        'capture/capture_truncate',
        `perform registry_stats.mark(tg_argv[0], 'the table was truncated');`,
        '',
      )(target);
      await mutate(
        'trust/fingerprints',
        `format('%s/%s/%s', part.oid, part.relfilenode, triggers.identity)`,
        `format('%s/%s', part.oid, triggers.identity)`,
      )(target);
      await rebuildAll(target);
    },
    scenario: async (target) => {
      await target.query('truncate public.premis_events cascade');
      return figuresAfterRuns(target);
    },
  },

  'a renamed table no longer counts': {
    switchOff: mutate('capture/is_counted', 'return false', 'return true'),
    scenario: async (target) => {
      await target.query('alter table public.work_items rename to old_items');
      await target.query('create table public.work_items as table public.old_items');
      await figuresAfterRuns(target);
      await target.query(`update public.old_items set action = 'Old'`);
      return figuresAfterRuns(target);
    },
  },

  'the mark of writes to a table while it was renamed': {
    switchOff: mutate(
      'capture/is_counted',
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

  'an object counts once': {
    switchOff: mutate(
      'refresh/fold',
      '(after > 0)::int - (before > 0)::int, 0',
      '(after > before)::int, 0',
    ),
    scenario: async (target) => {
      await target.query(newFile('one', 'Standard'));
      await runAll(target.query);
      await target.query(newFile('two', 'Standard'));
      return figuresAfterRuns(target);
    },
  },

  'an object in two groups counts once in a total': {
    switchOff: mutate(
      'refresh/fold',
      '(sum(after) > 0)::int - (sum(before) > 0)::int',
      'sum((after > 0)::int - (before > 0)::int)',
    ),
    scenario: async (target) => {
      await target.query(newFile('one', 'Standard'));
      await runAll(target.query);
      await target.query(newFile('two', 'Glacier-VA'));
      return figuresAfterRuns(target);
    },
  },

  'pending changes are work': {
    switchOff: mutate(
      'refresh/jobs_with_work',
      'if registry_stats.has_pending() or registry_stats.guards()',
      'if registry_stats.guards()',
    ),
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      return figuresAfterRuns(target);
    },
  },

  'changes of a transaction that was open at the last fold are pending': {
    switchOff: mutate('refresh/fold', 'where open.xid <= seen.last', 'where false'),
    scenario: async (target) => {
      const [writer, later] = [await target.session(), await target.session()];
      await writer.query('begin');
      await writer.query(writeOfEachTable);
      await later.query(newFile('later', 'Standard'));
      await runAll(target.query);
      await writer.query('commit');
      return figuresAfterRuns(target);
    },
  },

  'changes of a transaction that the snapshot of the last fold does not list are pending': {
    switchOff: mutate(
      'refresh/fold',
      'least(pg_snapshot_xmax(now.snapshot), pg_current_xact_id())',
      'pg_current_xact_id()',
    ),
    scenario: async (target) => {
      const writer = await target.session();
      // Lists it, if other tests end a transaction with a higher id meanwhile.
      for (let time = 1; time <= 20; time += 1) {
        await target.query(newFile(`earlier ${time}`, 'Standard'));
        await writer.query('begin');
        await writer.query(newFile(`open ${time}`, 'Standard'));
        await runAll(target.query);
        await writer.query('commit');
        const wrong = await figuresAfterRuns(target);
        if (wrong.length > 0) return wrong;
      }
      return [];
    },
  },

  'changes of a transaction that folded before are pending': {
    switchOff: mutate(
      'refresh/fold',
      'least(pg_snapshot_xmax(now.snapshot), pg_current_xact_id())',
      'pg_snapshot_xmax(now.snapshot)',
    ),
    scenario: async (target) => {
      const caller = await target.session();
      await caller.query('begin');
      await caller.query(newFile('earlier', 'Standard'));
      // A later transaction ends before the snapshot: that ends above the caller's own id.
      await target.query(newFile('other', 'Standard'));
      await runAll(queryOn(caller));
      await caller.query(writeOfEachTable);
      await caller.query('commit');
      return figuresAfterRuns(target);
    },
  },

  'a caller sees its own changes as pending': {
    switchOff: async ({ query }) => {
      const file = await readFile(path.join(sqlRoot, 'functions/refresh/has_pending.sql'), 'utf8');
      const without = replaceOnce(
        file,
        'v_unfolded || pg_current_xact_id_if_assigned()',
        'v_unfolded',
      );
      // Finds it too, if other tests end a transaction with a higher id meanwhile.
      await query(replaceOnce(without, 'pg_snapshot_xmax(v_now)', 'pg_snapshot_xmin(v_now)'));
    },
    scenario: async (target) => {
      const caller = await target.session();
      await caller.query('begin');
      await caller.query(writeOfEachTable);
      await runAll(queryOn(caller));
      const wrong = await wrongFigures(queryOn(caller), 'public.');
      await caller.query('rollback');
      return wrong;
    },
  },

  'what others record as folded does not count': {
    switchOff: mutate('trust/guard_epoch', 'is distinct from', 'is not distinct from'),
    scenario: async (target) => {
      // As in a record of another server, whose transaction ids are higher.
      await target.query(`update registry_stats.epoch set folded_to = '1000000000'`);
      await target.query(writeOfEachTable);
      return figuresAfterRuns(target);
    },
  },

  // Either of the two is enough.
  'a rebuild, and its write to epoch under the guard, forget what is folded': {
    switchOff: async (target) => {
      await mutate('trust/rebuild', `folded_to = '0'`, 'folded_to = folded_to')(target);
      await mutate('trust/guard_epoch', `is distinct from 'on'`, `= 'never'`)(target);
    },
    scenario: async (target) => {
      await target.query(`alter table registry_stats.epoch disable trigger user`);
      await target.query(`update registry_stats.epoch set folded_to = '1000000000'`);
      await rebuildAll(target);
      await target.query(writeOfEachTable);
      return figuresAfterRuns(target);
    },
  },

  'after a rebuild, deltas with transaction ids of another server are pending': {
    switchOff: mutate('refresh/has_pending', `coalesce(v_after, '0') = '0'`, 'v_after is null'),
    scenario: async (target) => {
      await rebuildAll(target);
      // As replication writes them during a rebuild, when no table is marked.
      const replication = await target.session();
      await replication.query('set session_replication_role = replica');
      await replication.query(`set registry_stats.is_writing = 'on'`);
      await replication.query(newFile('replicated', 'Standard'));
      await replication.query(
        `insert into registry_stats.delta
          (xid, source, institution_id, facet, object_id, storage_option, row_count, byte_count)
        values ('2000000000', 'generic_files', 2, 'A', 4711, 'Standard', 1, 1)`,
      );
      return figuresAfterRuns(target);
    },
  },

  'another price makes the deposits due': {
    switchOff: mutate(
      'refresh/shows_other_names',
      'and shown.cost_gb_per_month is distinct from option.cost_gb_per_month',
      'and false',
    ),
    scenario: async (target) => {
      await target.query(`update public.storage_options set cost_gb_per_month = 7`);
      return figuresAfterRuns(target);
    },
  },

  'a view refreshed by others is due': {
    switchOff: mutate(
      'refresh/due_views',
      'or view.name = any (registry_stats.changed_by_others(v_ok))',
      '',
    ),
    scenario: async (target) => {
      const other = await target.session();
      await beginWithSnapshot(other, 'repeatable read');
      await target.query(writeOfEachTable);
      await runAll(target.query);
      for (const view of [...(jobs[0]?.views ?? []), ...(jobs[1]?.views ?? [])]) {
        await other.query(`refresh materialized view public.${view}`);
      }
      await other.query('commit');
      return figuresAfterRuns(target);
    },
  },

  'a fold marks views that are due already, for runs with an older snapshot': {
    switchOff: mutate(
      'refresh/fold',
      'where case when name',
      'where not is_due and case when name',
    ),
    scenario: async (target) => {
      const runner = await target.session();
      await target.query(`update public.generic_files set state = 'D' where id = 1`);
      await target.query(`select registry_stats.run('update_counts')`);
      await beginWithSnapshot(runner, 'repeatable read');
      await target.query(writeOfEachTable);
      await target.query(`select registry_stats.run('update_counts')`);
      await resultOf(runner, `select registry_stats.run('update_current_deposit_stats')`);
      await runner.query('commit');
      return figuresAfterRuns(target);
    },
  },

  'history runs with an older snapshot fail': {
    switchOff: mutate(
      'history/insert_history',
      'do update set number = epoch.number + 1',
      'do nothing',
    ),
    scenario: async (target) => {
      await target.query(`update public.generic_files set state = 'D'`);
      const second = await target.session();
      await beginWithSnapshot(second, 'repeatable read');
      await target.query('select registry_stats.run_history()');
      await resultOf(second, 'select registry_stats.run_history()');
      await second.query('commit');
      return monthsTwice(target);
    },
  },

  'a month from the rollups leaves out files created since': {
    switchOff: mutate(
      'history/newer_files',
      '(created_at >= %1$L::timestamp or created_at is null)',
      'false',
    ),
    scenario: async (target) => {
      await target.query(newFile('one', 'Standard'));
      return wrongLastMonth(target);
    },
  },

  'a month from the rollups counts an object once': {
    switchOff: mutate(
      'history/deposits_by_rollups',
      '(sum(touched.before + touched.file_count) > 0)::int - (sum(touched.before) > 0)::int',
      '(sum(touched.file_count) > 0)::int',
    ),
    scenario: async (target) => {
      await target.query(newFile('one', 'Standard'));
      await runAll(target.query);
      return wrongLastMonth(target);
    },
  },

  'a month needs a scan while the rollups are untrusted': {
    switchOff: mutate('history/deposits_at', 'delta.rebuild_because is not null', 'false'),
    scenario: async (target) => {
      await target.query('alter table public.generic_files rename to other_files');
      await target.query(newFile('one', 'Standard').replace('generic_files', 'other_files'));
      await target.query(
        `update public.other_files set created_at = '2020-05-05' where uuid = 'one'`,
      );
      await target.query('alter table public.other_files rename to generic_files');
      return wrongLastMonth(target);
    },
  },

  'a run ends once': {
    switchOff: mutate(
      'records/finish_run',
      `run.outcome is null or run.outcome = 'crashed'`,
      'true',
    ),
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      const [run] = await target.query<{ id: string }>(
        `select registry_stats.begin_run('update_counts', 'command') as id`,
      );
      await target.query('select registry_stats.run_recorded($1)', [run?.id]);
      // The commit arrived, and its response was lost.
      await target.query(`select registry_stats.finish_run($1, 'failed', 'connection lost')`, [
        run?.id,
      ]);
      return target.query(`select id from registry_stats.run where outcome = 'failed'`);
    },
  },

  'a view that is dropped before its refresh is skipped': {
    switchOff: mutate('refresh/refresh_view', ' or undefined_table', ''),
    scenario: async (target) => {
      await target.query(writeOfEachTable);
      const [owner, runner] = [await target.session(), await target.session()];
      await owner.query('begin');
      await owner.query('drop materialized view public.work_item_counts');
      const run = await untilBlocked(
        target,
        runner,
        `select registry_stats.refresh_view('work_item_counts')`,
      );
      await owner.query('commit');
      return run.result.then(
        () => [],
        (error: unknown) => [error],
      );
    },
  },

  'a swap that waited does not record our views as the original ones': {
    switchOff: mutate(
      'install/swap_views',
      `from registry_stats.look_at_views() as checked
    where checked.state in ('foreign', 'missing')
    order by checked.name`,
      'from registry_stats.view as checked order by checked.name',
    ),
    scenario: async (target) => {
      // The second session checks the views, and has the lock once the first has committed.
      await mutate(
        'refresh/try_lock',
        'pg_try_advisory_xact_lock(',
        'null is null from pg_advisory_xact_lock(',
      )(target);
      await target.query(viewsOverTables);
      const [first, second] = [await target.session(), await target.session()];
      await first.query('begin');
      await first.query('select registry_stats.swap_views()');
      const swap = await untilBlocked(target, second, 'select registry_stats.swap_views()');
      await first.query('commit');
      await swap.result;
      return target.query(
        `select name from registry_stats.original where definition like '%count_rollup%'`,
      );
    },
  },

  'a swap rolls back in time for readers': {
    switchOff: mutate('install/replace_view', `set lock_timeout = '150ms'`, ''),
    scenario: async (target) => {
      await target.query(viewsOverTables);
      const [reader, migrator] = [await target.session(), await target.session()];
      await migrator.query(`set deadlock_timeout = '30s'`);
      await reader.query(`set deadlock_timeout = '1s'`);
      await reader.query('begin');
      await reader.query('select count(*) from public.work_item_counts');
      await untilBlocked(target, migrator, 'select registry_stats.swap_views()');
      const result = await resultOf(
        reader,
        'select 1 as n from public.generic_file_counts limit 1',
      );
      return typeof result === 'string' ? [result] : [];
    },
  },
};

test.each(Object.keys(guards))('without this guard figures are wrong: %s', async (name) => {
  const { scenario, switchOff } = guards[name] ?? {};
  const intact = await upToDate();
  expect(await scenario?.(intact)).toEqual([]);

  const bare = await upToDate();
  await switchOff?.(bare);
  expect(await scenario?.(bare)).not.toEqual([]);
});

async function withoutLock(target: TestDatabase): Promise<void> {
  await mutate(
    'refresh/try_lock',
    'select pg_try_advisory_xact_lock(1919247220, 102)',
    'select true',
  )(target);
}

/** Removes the row that every fold writes. */
async function withoutEpoch(target: TestDatabase): Promise<void> {
  await mutate('refresh/fold', `where name = 'rollups'`, 'where false')(target);
}

/** Replaces a part of a function's file. The part must occur once. */
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

/** Returns wrong figures and totals after the daemon ran twice. */
async function figuresAfterRuns({ database, query }: TestDatabase): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const job of [...jobs.slice(0, 2), ...jobs.slice(0, 2)]) {
    await refresh(
      database,
      job,
      beginRound({ trigger: 'schedule', jobs: [job.name], isManual: false }),
      { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 },
    ).catch((error: unknown) => failures.push(error));
  }
  return [...failures, ...(await wrongFigures(query, 'public.')), ...(await wrongRollups(query))];
}

/** Returns wrong rows after the last month was inserted again. */
async function wrongLastMonth({ query }: TestDatabase): Promise<unknown[]> {
  const since = `date_trunc('month', now() at time zone 'utc')::date`;
  await query('select public.populate_all_historical_deposit_stats()');
  await query(`delete from public.historical_deposit_stats where end_date >= ${since}`);
  await query('select public.populate_all_historical_deposit_stats()');
  return wrongHistory(query, since);
}

function monthsTwice({ query }: TestDatabase): Promise<unknown[]> {
  return query(
    `select end_date, count(*) from public.historical_deposit_stats
    where institution_id is null and storage_option = 'Total'
    group by end_date having count(*) > 1`,
  );
}

async function rebuildAll({ query }: TestDatabase): Promise<void> {
  for (const source of sources) {
    await query('select registry_stats.attach_capture($1)', [source]);
    await query('begin isolation level repeatable read');
    await query('select registry_stats.rebuild($1)', [source]);
    await query('commit');
  }
}

async function rebuildUnlessIncomplete({ session }: TestDatabase): Promise<void> {
  const client = await session();
  await client.query('begin isolation level repeatable read');
  await resultOf(client, `select registry_stats.rebuild('work_items')`);
  await client.query('commit');
}

async function attachAnew(target: TestDatabase): Promise<void> {
  for (const source of sources) {
    await target.query(`drop trigger registry_stats_update on public.${source}`);
  }
  await rebuildAll(target);
}

/** Returns SQL for one more file of an object that the fixtures do not have. */
function newFile(name: string, option: string, object = 4711): string {
  return `insert into public.generic_files
      (identifier, uuid, size, state, institution_id, intellectual_object_id, storage_option,
      created_at, updated_at)
    values ('${name}', '${name}', 1, 'A', 2, ${object}, '${option}', now(), now())`;
}

/** Waits until the statement has ended, or waits for another session. */
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
