import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../support/program.js';
import { eventually } from '../support/slow-job.js';
import type { TestDatabase } from '../support/test-database.js';
import { expectNothingLeft, findDifferences } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Starts the daemon like a shell, with a chosen stdout. */
async function startWith(target: TestDatabase, stdout: 'pipe' | number): Promise<ChildProcess> {
  const cwd = await temporaryDirectory();
  const child = spawn(process.execPath, [main, 'start'], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: cwd,
      LOG_FORMAT: 'json',
      ...target.env,
      ...sceneSettings,
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function complaintsOf({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('expected a stderr to read');
  return text(stderr);
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? child.exitCode;
}

async function expectExact(target: TestDatabase): Promise<void> {
  await expectNothingLeft(target);
  expect(await findDifferences(target)).toEqual([]);
}

/** Waits until runs continue: each check has a later time. */
async function untilChecks({ query }: TestDatabase): Promise<void> {
  const lastCheck = async (): Promise<number> => {
    const [job] = await query<{ at: Date | null }>(
      'select min(last_check) as at from registry_stats.job',
    );
    return job?.at?.getTime() ?? 0;
  };
  const before = await lastCheck();
  await eventually('a later check of each job', async () => (await lastCheck()) > before);
}

/** Returns a full pipe, like one without a reader. */
async function fullPipe(): Promise<number> {
  const file = path.join(await temporaryDirectory(), 'pipe');
  spawnSync('mkfifo', [file]);
  const handle = await open(file, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => handle.close());
  const block = Buffer.alloc(4_096, 'x\n');
  try {
    for (;;) writeSync(handle.fd, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return handle.fd;
}

test('a closed stdout does not end the daemon, and SIGTERM does', async () => {
  const target = await databaseWithWork();
  const child = await startWith(target, 'pipe');
  const complaints = complaintsOf(child);
  await untilChecks(target);
  child.stdout?.destroy();
  await untilChecks(target);
  await untilChecks(target);
  child.kill('SIGTERM');

  expect(await exitOf(child)).toBe(0);
  await expectExact(target);
  expect(await complaints).toBe('');
});

test('a stdout without a reader blocks neither runs nor the stop of the daemon', async () => {
  const target = await databaseWithWork();
  const child = await startWith(target, await fullPipe());
  await untilChecks(target);
  await untilChecks(target);
  child.kill('SIGTERM');

  expect(await exitOf(child)).toBe(0);
  await expectExact(target);
});

test('a stdout on a full disk is reported once, and the daemon continues', async () => {
  const target = await databaseWithWork();
  const full = await open('/dev/full', 'w');
  onTestFinished(() => full.close());
  const child = await startWith(target, full.fd);
  const complaints = complaintsOf(child);
  await untilChecks(target);
  await untilChecks(target);
  child.kill('SIGTERM');

  expect(await exitOf(child)).toBe(1);
  await expectExact(target);
  expect(await complaints).toBe(
    'registry-stats: stdout could not be written: ENOSPC: no space left on device, write\n',
  );
});

test('a command without a reader exits with 0; on a full disk it exits with 1 and reports it', async () => {
  const target = await databaseWithWork();
  const shell = async (command: string): Promise<{ code: unknown; complaints: string }> => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
      env: { PATH: process.env['PATH'], ...target.env, NODE: process.execPath, MAIN: main },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const complaints = complaintsOf(child);
    return { code: await exitOf(child), complaints: await complaints };
  };

  expect(await shell('"$NODE" "$MAIN" status | head -0')).toEqual({ code: 0, complaints: '' });
  expect(await shell('"$NODE" "$MAIN" status > /dev/full')).toEqual({
    code: 1,
    complaints:
      'registry-stats: stdout could not be written: ENOSPC: no space left on device, write\n',
  });
});
