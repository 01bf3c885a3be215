import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The file with the cases of all test files. */
    tally: string;
  }
}

interface Case {
  readonly name: string;
  readonly recoverySeconds: number;
  readonly differences: number;
}

/** Adds the current test to the totals printed at the end. */
export async function countCase(result: Omit<Case, 'name'>): Promise<void> {
  const counted: Case = { name: expect.getState().currentTestName ?? '', ...result };
  await appendFile(inject('tally'), `${JSON.stringify(counted)}\n`);
}

/** Creates the file, and prints the totals after all tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'registry-stats-faults-'));
  const file = path.join(folder, 'cases');
  await appendFile(file, '');
  project.provide('tally', file);
  return async () => {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    process.stdout.write(render(lines.map((line) => JSON.parse(line) as Case)));
    await rm(folder, { recursive: true });
  };
}

function render(cases: readonly Case[]): string {
  const slowestFirst = cases.toSorted((one, other) => other.recoverySeconds - one.recoverySeconds);
  const [slowest] = slowestFirst;
  const median = slowestFirst[Math.floor(cases.length / 2)];
  if (slowest === undefined || median === undefined) return 'no case came to its end\n';
  const differences = cases.reduce((sum, counted) => sum + counted.differences, 0);
  return (
    `\n${cases.length} cases, ${differences} differences\n` +
    `recovered after ${median.recoverySeconds.toFixed(1)} s (median), ` +
    `${slowest.recoverySeconds.toFixed(1)} s at most (${slowest.name})\n`
  );
}
