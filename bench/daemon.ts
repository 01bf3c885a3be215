import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { jobs } from '../src/jobs/job.js';
import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';
import { formatMs, verdict } from './table.js';

/** As in the image. */
const program = ['--max-semi-space-size=1', path.resolve('dist/main.js'), 'start'];
const starts = 9;
const requests = 1_200;
const paths = ['/api/status', '/api/runs', '/api/statistics', '/metrics'];
const idleSeconds = 60;
/** The garbage collector cleans up once, some seconds after the last request. */
const settleSeconds = 20;

const start = 'start to the outcome of all jobs, nothing changed';
const memoryAtStart = 'resident memory after the start';
const memoryInUse = `resident memory after ${requests.toLocaleString('en')} requests`;
const idle = `processor while idle for ${idleSeconds} s, ${settleSeconds} s later`;

/** Measures the daemon as a process: how long it takes to start, and what it needs afterwards. */
export async function measureDaemon(pair: Pair, recorder: Recorder): Promise<void> {
  // The first one adds the months of the history; later ones find nothing to do.
  for (let time = 0; time <= starts; time += 1) {
    const startedAt = performance.now();
    const { child, url } = await startDaemon(pair);
    try {
      if (time > 0) recorder.add(start, 'incremental', pair.files, performance.now() - startedAt);
      if (time === starts) await measureProcess({ url, pid: child.pid }, pair, recorder);
    } finally {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
  }
}

/** Starts the daemon, and waits until each job has an outcome. */
async function startDaemon({ address, incremental }: Pair) {
  const { host, port, user, password } = address;
  const child = spawn(process.execPath, program, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      APT_ENV: 'dev',
      DB_HOST: host,
      DB_PORT: String(port),
      DB_USER: user,
      DB_PASSWORD: password,
      DB_NAME: incremental.name,
      STATUS_PORT: '0',
      LOG_FORMAT: 'json',
    },
  });
  let url = '';
  let finished = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, statusUrl } = JSON.parse(line) as { event: string; statusUrl?: string };
    url = statusUrl ?? url;
    if (event === 'run-finished') finished += 1;
    if (finished === jobs.length) return { child, url };
  }
  throw new Error('expected the daemon to run each job, found that it ended');
}

async function measureProcess(
  { url, pid }: { readonly url: string; readonly pid: number | undefined },
  { files }: Pair,
  recorder: Recorder,
): Promise<void> {
  const memory = async (scenario: string) => {
    recorder.add(scenario, 'incremental', files, await readMemory(url), 'bytes');
  };
  await memory(memoryAtStart);
  for (let number = 0; number < requests; number += 1) {
    await (await fetch(`${url}${paths[number % paths.length] ?? ''}`)).arrayBuffer();
  }
  await memory(memoryInUse);
  await delay(settleSeconds * 1_000);
  const before = await readProcessorMs(pid);
  await delay(idleSeconds * 1_000);
  recorder.add(idle, 'incremental', files, (await readProcessorMs(pid)) - before);
}

/** Returns the resident memory that the daemon reports of itself, in bytes. */
async function readMemory(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

/**
 * Returns the processor time of a process, with steps of 10 ms. From the kernel, because a request
 * for metrics needs more than an idle minute does.
 */
async function readProcessorMs(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return ((user ?? NaN) + (system ?? NaN)) * 10;
}

/** Returns what the daemon needs against its targets. Empty unless measured. */
export function daemonRows(recorder: Recorder, files: number): string[][] {
  const row = (
    scenario: string,
    limit: number,
    target: string,
    format: (value: number) => string,
  ) => {
    const found = recorder.summary(scenario, 'incremental', files);
    if (found === undefined) return [];
    const { median, low, high, count } = found;
    const shown =
      count === 1 ? format(median) : `${format(median)} (${format(low)}–${format(high)})`;
    return [[scenario, shown, target, verdict(median <= limit)]];
  };
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const share = (ms: number) => `${(ms / idleSeconds / 10).toFixed(2)} %`;
  return [
    ...row(start, 350, '≤ 350 ms', formatMs),
    ...row(memoryAtStart, 80e6, '≤ 80 MB', megabytes),
    ...row(memoryInUse, 80e6, '≤ 80 MB', megabytes),
    ...row(idle, idleSeconds, '≤ 0.1 %', share),
  ];
}
