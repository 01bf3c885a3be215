import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startDaemon, temporaryDirectory, type Environment, type Program } from './program.js';
import type { TestDatabase } from './test-database.js';

/** Starts a daemon with other settings in `.env.test`, which a test may change. */
export async function daemonWithFile(
  target: TestDatabase,
  settings: Environment,
): Promise<{ daemon: Program; rewrite: (settings: Environment) => Promise<void> }> {
  const cwd = await temporaryDirectory();
  const rewrite = async (changed: Environment): Promise<void> => {
    const lines = Object.entries(changed).map(([key, value]) => `${key}="${value}"\n`);
    await writeFile(path.join(cwd, '.env.test'), lines.join(''));
  };
  await rewrite(settings);
  return { daemon: await startDaemon({ env: target.env, cwd }), rewrite };
}
