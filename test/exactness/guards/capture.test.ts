import { sources } from '../../../src/statistics/installation.js';
import type { TestDatabase } from '../../support/test-database.js';
import { writeOfEachTable } from '../two-sessions.js';
import { testGuards, figuresAfterRuns, mutate, rebuildAll } from './guard.js';

testGuards({
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
});

async function attachAnew(target: TestDatabase): Promise<void> {
  for (const source of sources) {
    await target.query(`drop trigger registry_stats_update on public.${source}`);
  }
  await rebuildAll(target);
}
