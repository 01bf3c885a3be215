import { migrateAs, type Login } from '../support/owned-database.js';
import { Session } from './session.js';
import { attempt, type WorkerOptions } from './workers.js';

const algorithms = ['md5', 'sha1', 'sha256', 'sha512', null] as const;

/** Declares checksums by algorithm: a statistic added by one row. */
export async function declareChecksums(owner: Login): Promise<void> {
  const client = await owner.session();
  await client.query(
    `insert into registry_stats.source (name, view, facet_column, reason)
    values ('checksums', 'checksum_counts', 'algorithm', 'declared')`,
  );
  await client.end();
  await migrateAs(owner);
}

/** Writes checksums while the other sessions write, in one or several statements. */
export async function writeChecksums({ target, scene, random }: WorkerOptions): Promise<void> {
  const session = new Session(target, 'exactness writer');
  const algorithm = () => random.pick(algorithms);
  const statement = () =>
    random.pick<() => [string, unknown[]]>([
      () => [
        `insert into public.checksums (algorithm, digest, created_at, updated_at)
        select $1, 'x', now(), now() from generate_series(1, $2::int)`,
        [algorithm(), random.int(1, 200)],
      ],
      () => [
        `update public.checksums set algorithm = $1 where algorithm is distinct from $2 and id % $3 = 0`,
        [algorithm(), algorithm(), random.int(1, 9)],
      ],
      () => [`delete from public.checksums where id % $1 = 0`, [random.int(2, 9)]],
    ])();
  for (;;) {
    await scene.next('progress', random.int(1, 6));
    if (scene.isOver) return;
    await attempt(scene, () =>
      session.use(async (client) => {
        await client.query('begin');
        for (let count = random.int(1, 3); count > 0; count--) await client.query(...statement());
        await client.query(random.chance(0.9) ? 'commit' : 'rollback');
        scene.count('checksums written');
      }),
    );
  }
}
