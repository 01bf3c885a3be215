import { expect, test } from 'vitest';
import { jobs } from '../src/jobs/job.js';
import { untilBlocked, upToDate, writeOfEachTable } from './exactness/two-sessions.js';
import { viewsOverTables } from './support/views-over-tables.js';

const ways = {
  'a call while the views scan the tables': viewsOverTables,
  'a run over the rollups': 'update registry_stats.view set is_due = true',
};

for (const [way, arrange] of Object.entries(ways)) {
  test(`${way} refreshes the views in the order of 001's function, so neither ends in a deadlock`, async () => {
    const target = await upToDate();
    await target.query(`${writeOfEachTable}; ${arrange}`);
    const plain = await target.session();
    const caller = await target.session();
    const [first, ...others] = jobs[0]?.views ?? [];
    await plain.query('begin');
    await plain.query(`refresh materialized view concurrently public.${first}`);
    const call = await untilBlocked(target, caller, 'select public.update_counts() as result');
    for (const view of others) {
      await plain.query(`refresh materialized view concurrently public.${view}`);
    }
    await plain.query('commit');

    expect((await call.result).rows).toEqual([{ result: 1 }]);
  });
}

test('the order of each job is the same in the program and in the database', async () => {
  const target = await upToDate();
  for (const { name, views } of jobs) {
    const rows = await target.query('select registry_stats.views_of($1) as views', [name]);
    expect(rows).toEqual([{ views }]);
  }
});
