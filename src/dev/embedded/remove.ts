import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readIdentity } from './identity.js';
import { clusterPath } from './place.js';
import { stopPostmaster } from './postmaster.js';

/**
 * Stops the server, whoever uses it, and removes what it left in the data directory.
 * As root the cluster is elsewhere, and would outlive a mere removal of the directory.
 */
export async function removeEmbeddedServer(dataDir: string): Promise<void> {
  const identity = await readIdentity(dataDir);
  if (identity !== undefined) {
    const cluster = await clusterPath(dataDir, identity);
    await stopPostmaster(cluster);
    await rm(cluster, { recursive: true, force: true });
  }
  for (const name of ['postgres', 'postgres.log', 'runtime', 'embedded.json']) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}
