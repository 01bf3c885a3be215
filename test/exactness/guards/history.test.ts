import type { TestDatabase } from '../../support/test-database.js';
import { wrongHistory } from '../truth.js';
import { beginWithSnapshot, resultOf, runAll } from '../two-sessions.js';
import { testGuards, doneOrBlocked, mutate, newFile, withoutLock } from './guard.js';

testGuards({
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
});

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
