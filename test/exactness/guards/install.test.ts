import { viewsOverTables } from '../../support/views-over-tables.js';
import { resultOf, untilBlocked } from '../two-sessions.js';
import { testGuards, mutate } from './guard.js';

testGuards({
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
});
