import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { codeOf, unavailable } from './unavailable.js';

/** The lines of postmaster.pid that matter here. */
export interface PidFile {
  text: string;
  pid: number | undefined;
  port: number | undefined;
}

const stopTimeoutMs = 60_000;
const pollMs = 50;
// How long a pid file may stay without a pid: the server writes it right after creating it.
const unwrittenMs = 5_000;

export async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  try {
    const text = await readFile(pidFilePath(cluster), 'utf8');
    const lines = text.split('\n');
    return { text, pid: positive(lines[0]), port: positive(lines[3]) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Is a server (starting, ready or stopping) at work in this directory? */
export async function isServed(cluster: string): Promise<boolean> {
  const pid = (await readPidFile(cluster).catch(() => undefined))?.pid;
  return pid !== undefined && (await isPostmaster(pid, cluster));
}

/**
 * Removes the pid file of a killed server if its pid now belongs to a process that is not one.
 * PostgreSQL sees by itself that a pid is dead, but takes any living process of its own account
 * for a server, and in a container the same few pids come back at every start.
 */
export async function removeStalePidFile(cluster: string): Promise<void> {
  const judged = await readPidFile(cluster);
  if (judged === undefined || (await isServed(cluster))) return;
  const path = pidFilePath(cluster);
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    if (judged.pid === undefined) {
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs < unwrittenMs) return;
    } else if (!isAlive(judged.pid)) {
      return;
    }
    // Moved first, so that the file looked at is the file removed: another process may have come
    // to the same conclusion and have a server running by now, whose file is put back.
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== judged.text) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/**
 * Fast shutdown: ends all sessions, writes a checkpoint. Returns when the server is gone.
 * On Windows, where Node can only terminate, the next start goes through crash recovery.
 */
export async function stopPostmaster(cluster: string): Promise<void> {
  const pid = (await readPidFile(cluster))?.pid;
  if (pid === undefined || !(await isPostmaster(pid, cluster))) return;
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + stopTimeoutMs;
  while (await isPostmaster(pid, cluster)) {
    if (Date.now() > deadline) {
      throw unavailable(
        `expected the embedded server (pid ${pid}) to stop within ${stopTimeoutMs / 1000} s, ` +
          'found it still running',
      );
    }
    await delay(pollMs);
  }
}

/** A zombie is none: in a container nobody may ever collect it. */
async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (platform() === 'win32') return true;
  if (platform() !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', [
      '-ww',
      '-o',
      'args=',
      '-p',
      String(pid),
    ]).catch(() => ({ stdout: '' }));
    return stdout.includes('postgres') && stdout.includes(cluster);
  }
  try {
    if ((await readFile(`/proc/${pid}/comm`, 'utf8')).trim() !== 'postgres') return false;
    return (await readlink(`/proc/${pid}/cwd`)) === cluster;
  } catch (error) {
    // Not allowed to look: better to wait for a stranger's server than to start a second one.
    return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function pidFilePath(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

function positive(line: string | undefined): number | undefined {
  const value = Math.abs(Number(line?.trim()));
  return Number.isInteger(value) && value > 0 ? value : undefined;
}
