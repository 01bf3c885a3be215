import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { jobs } from '../../../src/jobs/job.js';
import { sqlRoot } from '../../../src/schema/sql-files.js';
import type { TestDatabase } from '../../support/test-database.js';
import { wrongFigures } from '../truth.js';
import {
  beginWithSnapshot,
  resultOf,
  runAll,
  untilBlocked,
  writeOfEachTable,
} from '../two-sessions.js';
import { queryOn } from '../workers.js';
import {
  testGuards,
  doneOrBlocked,
  figuresAfterRuns,
  mutate,
  newFile,
  replaceOnce,
  withoutLock,
} from './guard.js';

testGuards({
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
    switchOff: mutate('refresh/jobs_with_work', 'if registry_stats.has_pending()', 'if false'),
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
});

/** Removes the row that every fold writes. */
async function withoutEpoch(target: TestDatabase): Promise<void> {
  await mutate('refresh/fold', `where name = 'rollups'`, 'where false')(target);
}
