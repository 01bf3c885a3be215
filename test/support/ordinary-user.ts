import { chown } from 'node:fs/promises';
import { unprivilegedAccount } from '../../src/dev/embedded/place.js';

/**
 * Runs `work` as an ordinary user who owns these files and folders. Root may read a file whatever
 * its mode says. So as root this process changes its effective user for that time, in all of its
 * threads. It stays in the test's process: an ordinary user may not be able to read the project's
 * files, which a new process would load. Run `work` once before, so that all modules are loaded.
 */
export async function asOrdinaryUser<Result>(
  owned: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  const account = await unprivilegedAccount();
  if (account === undefined) return work();
  for (const file of owned) await chown(file, account.uid, account.gid);
  if (process.setegid === undefined || process.seteuid === undefined) {
    throw new Error('expected the main thread of a process on Unix: no other can change its user');
  }
  // The group first: only root may change it.
  process.setegid(account.gid);
  process.seteuid(account.uid);
  try {
    return await work();
  } finally {
    process.seteuid(0);
    process.setegid(0);
  }
}
