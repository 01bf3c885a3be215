import { expect, test } from 'vitest';
import { createLogin } from './support/owned-database.js';
import { createTestDatabase } from './support/test-database.js';

test('a transaction_timeout of the role or the database does not end a run', async ({ skip }) => {
  const target = await createTestDatabase('baseline');
  const [server] = await target.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  skip(Number(server?.version) < 170_000, 'transaction_timeout came with PostgreSQL 17');
  const login = await createLogin(target, 'hurried');
  await target.query(`alter database ${target.name} set transaction_timeout = '500ms'`);
  await target.query(`alter role ${login.role} set transaction_timeout = '400ms'`);

  const slept = await login
    .reopen()
    .write({ statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 }, async ({ query }) => {
      await query('select pg_catalog.pg_sleep(0.8)');
      return query(`select pg_catalog.current_setting('transaction_timeout') as timeout`);
    });

  expect(slept).toEqual([{ timeout: '0' }]);
});
