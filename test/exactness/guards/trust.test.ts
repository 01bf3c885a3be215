import type { TestDatabase } from '../../support/test-database.js';
import { resultOf, untilBlocked, writeOfEachTable } from '../two-sessions.js';
import {
  testGuards,
  doneOrBlocked,
  figuresAfterRuns,
  mutate,
  newFile,
  rebuildAll,
  replaceOnce,
} from './guard.js';

testGuards({
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
      await mutate('trust/rebuild', ` or v_guards = 'incomplete'`, '')(target);
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

  'a rebuild in read committed records the guards of its begin': {
    switchOff: mutate('trust/rebuild', 'guards = v_guards', 'guards = registry_stats.guards()'),
    scenario: async (target) => {
      const [other, owner] = [await target.session(), await target.session()];
      await other.query('begin; alter table registry_stats.count_rollup disable trigger all');
      const rebuild = await untilBlocked(
        target,
        owner,
        `select registry_stats.rebuild('work_items')`,
      );
      await other.query('commit');
      await rebuild.result;
      await target.query('update registry_stats.count_rollup set row_count = row_count + 1');
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
});

async function rebuildUnlessIncomplete({ session }: TestDatabase): Promise<void> {
  const client = await session();
  await client.query('begin isolation level repeatable read');
  await resultOf(client, `select registry_stats.rebuild('work_items')`);
  await client.query('commit');
}

async function definitionOf({ query }: TestDatabase, name: string): Promise<string> {
  const [row] = await query<{ text: string }>(
    'select pg_get_functiondef($1::regprocedure) as text',
    [name],
  );
  return row?.text ?? '';
}
