import { expect, test } from 'vitest';
import type { AppError } from '../src/errors.js';
import { preflight } from '../src/statistics/preflight.js';
import { incrementalRights, legacyRights, type Right } from '../src/statistics/rights.js';
import {
  createOwnedDatabase,
  createLegacyOwnedDatabase,
  type Login,
} from './support/owned-database.js';
import type { TestDatabase } from './support/test-database.js';

interface Scene {
  readonly target: TestDatabase;
  readonly daemon: Login;
  /** The role that the rights are granted to. */
  readonly holder: string;
  readonly owner: string;
}

function refusalOf({ daemon }: Pick<Scene, 'daemon'>): Promise<AppError | undefined> {
  return preflight(daemon.database).then(
    () => undefined,
    (error: unknown) => error as AppError,
  );
}

function nameOf({ kind, object }: Right): string {
  return kind === 'table' || kind === 'view' ? object : `${kind} ${object}`;
}

/** Revokes each right alone: the message must name it and the statement that grants it. */
async function expectEachNamed(scene: Scene, rights: readonly Right[]): Promise<void> {
  const { target, daemon, holder, owner } = scene;
  expect(await refusalOf(scene)).toBeUndefined();
  for (const right of rights) {
    const on = `${right.privilege} on ${nameOf(right)}`;
    const isForAll = right.object.startsWith('public') && /schema|function/.test(right.kind);
    await target.query(`revoke ${on} from ${holder}${isForAll ? ', public' : ''}`);
    const refusal = await refusalOf(scene);
    expect({ code: refusal?.code, exitCode: refusal?.exitCode, lacks: lacked(refusal) }).toEqual({
      code: 'PERMISSION_DENIED',
      exitCode: 6,
      lacks: right.kind === 'view' ? `refresh of ${right.object} (owner: ${owner})` : on,
    });
    expect(refusal?.hint).toBe(`grant ${on} to ${daemon.role};`);
    await target.query(refusal?.hint ?? '');
    expect(await refusalOf(scene), `after ${refusal?.hint ?? ''}`).toBeUndefined();
  }
}

function lacked(refusal: AppError | undefined): string | undefined {
  return refusal?.message.split('it lacks: ')[1];
}

test('each revoked right of the incremental refresh is named, with its grant', async () => {
  const { target, daemon, owner, daemonRole } = await createOwnedDatabase();
  await expectEachNamed(
    { target, daemon, holder: daemonRole, owner: owner.role },
    incrementalRights,
  );
});

test('each revoked right of the legacy refresh is named, with its grant', async (context) => {
  const { target, daemon, owner } = await createLegacyOwnedDatabase();
  const [server] = await target.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  context.skip((server?.version ?? 0) < 170_000, 'who is not the owner cannot refresh before 17');
  for (const right of legacyRights) {
    await target.query(`grant ${right.privilege} on ${nameOf(right)} to ${daemon.role}`);
  }
  await expectEachNamed({ target, daemon, holder: daemon.role, owner: owner.role }, legacyRights);
});

test('a role without rights gets a list of all, and the statements of the hint grant them', async () => {
  const { target, daemon, daemonRole } = await createOwnedDatabase();
  await target.query(`revoke ${daemonRole} from ${daemon.role}`);
  const refusal = await refusalOf({ daemon });

  expect(lacked(refusal)?.split(/, (?=\w+ on )/)).toEqual(
    incrementalRights
      // Rights of PUBLIC.
      .filter(({ object }) => object !== 'public')
      .map((right) => `${right.privilege} on ${nameOf(right)}`),
  );
  await target.query(refusal?.hint ?? '');
  expect(await refusalOf({ daemon })).toBeUndefined();
});

test('the incremental refresh needs no right that only the functions of 001 need', async () => {
  const { target, daemon } = await createOwnedDatabase();
  expect(
    await target.query(
      `select has_table_privilege($1, 'public.ar_internal_metadata', 'select') as "mayRead"`,
      [daemon.role],
    ),
  ).toEqual([{ mayRead: false }]);
  expect(await refusalOf({ daemon })).toBeUndefined();
});

test('a function missing after an older migrate is not reported as a missing right', async () => {
  const { target, daemon } = await createOwnedDatabase();
  await target.query(
    'drop function registry_stats.record_begin(text, text, timestamptz, bigint[])',
  );
  expect(await refusalOf({ daemon })).toMatchObject({
    code: 'DATABASE_NOT_MIGRATED',
    message: `expected the statistics in database "${target.name}", missing: registry_stats.record_begin(text,text,timestamp with time zone,bigint[])`,
    hint: 'run `registry-stats migrate`, or check DB_NAME',
  });
});

test('a role without the right to connect gets the grant', async () => {
  const { target, daemon } = await createOwnedDatabase();
  await target.query(`revoke connect on database ${target.name} from public`);
  await target.query(`revoke connect on database ${target.name} from ${target.name}_daemon`);
  const refusal = await refusalOf({ daemon });

  expect(refusal).toMatchObject({
    code: 'PERMISSION_DENIED',
    exitCode: 6,
    hint: `grant connect on database "${target.name}" to "${daemon.role}";`,
  });
  await target.query(refusal?.hint ?? '');
  expect(await refusalOf({ daemon })).toBeUndefined();
});
