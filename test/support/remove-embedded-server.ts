import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { readIdentity } from '../../src/dev/embedded/identity.js';
import { isServed } from '../../src/dev/embedded/server.js';
import { clusterPath } from '../../src/dev/embedded/place.js';
import { eventually } from './slow-job.js';

/** Stops the embedded server of a data directory, even in use, and removes its files. */
export async function removeEmbeddedServer(dataDir: string): Promise<void> {
  const identity = await readIdentity(dataDir);
  if (identity !== undefined) {
    const cluster = await clusterPath(dataDir, identity);
    if (await isServed(cluster)) {
      const [pid] = (await readFile(path.join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGINT');
      await eventually('the end of the server', async () => !(await isServed(cluster)));
    }
    await rm(cluster, { recursive: true, force: true });
    await rm(`${cluster}.json`, { force: true });
  }
  await rm(dataDir, { recursive: true, force: true });
}
