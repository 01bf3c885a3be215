import { chown } from 'node:fs/promises';
import { unprivilegedAccount } from '../../src/dev/embedded/place.js';

/**
 * Runs `work` as an ordinary user who owns these files. Root can read any file, so as root this
 * changes the effective user of the process. It stays in this process, because the user may be
 * unable to read the project's files. So run `work` once before, to load all modules.
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
  // The group first, because only root may change it.
  process.setegid(account.gid);
  process.seteuid(account.uid);
  try {
    return await work();
  } finally {
    process.seteuid(0);
    process.setegid(0);
  }
}
