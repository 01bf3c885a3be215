import { writeFile } from 'node:fs/promises';
import { measureClientWrites } from './client-writes.js';
import { drawChart } from './chart.js';
import { measureDaemon } from './daemon.js';
import { describeEnvironment } from './environment.js';
import { measureHistory } from './history.js';
import { parseOptions, usage, type BenchOptions, type Part } from './options.js';
import { createPair, type Pair } from './pair.js';
import { measurePace } from './pace.js';
import { measureReaders } from './readers.js';
import { Recorder } from './recorder.js';
import { assertExact, measureRefresh } from './refresh.js';
import { renderReport } from './report.js';
import { measureScale } from './scale.js';
import { startServer } from './server.js';
import { measureWriters } from './writers.js';
import { measureWrites } from './writes.js';

/** Rounds over all sizes. Slow measurements run once in each. */
const rounds = 3;

const options = readOptions();
if (options === undefined) process.stdout.write(`${usage}\n`);
else await run(options);

/** Ends the program with 2 if an option is wrong. */
function readOptions(): BenchOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    process.exit(2);
  }
}

async function run(options: BenchOptions): Promise<void> {
  const server = await startServer(options.url);
  const recorder = new Recorder();
  const pairs: Pair[] = [];
  try {
    for (const divisor of divisorsOf(options.only)) {
      const files = Math.ceil(options.files / divisor);
      say(`creating two databases of ${files.toLocaleString('en')} files`);
      const events = Math.ceil(options.events / divisor);
      pairs.push(await createPair(server.address, { files, events, reuse: options.keep }));
    }
    const environment = await describeEnvironment(pairs);
    await measure(pairs, recorder, options);
    const sizes = pairs.map(({ files }) => files);
    const { json, svg } = options;
    const series = recorder.all();
    if (json !== undefined) await writeFile(json, JSON.stringify({ environment, series }, null, 1));
    process.stdout.write(`${renderReport(recorder, sizes, environment)}\n`);
    if (svg !== undefined) await writeFile(svg, drawChart(recorder, sizes));
  } finally {
    for (const pair of pairs) await pair.close(!options.keep);
    await server.release();
  }
}

/** The sizes to measure, as divisors. Some parts are measured on the large tables only. */
function divisorsOf(only: Part | undefined): readonly number[] {
  if (only === 'scale') return [12, 1];
  const onlyLarge: readonly (Part | undefined)[] = [
    'readers',
    'writes',
    'writers',
    'daemon',
    'pace',
  ];
  return onlyLarge.includes(only) ? [1] : [4, 1];
}

async function measure(pairs: Pair[], recorder: Recorder, options: BenchOptions): Promise<void> {
  if (options.only === 'scale') {
    for (const pair of pairs) {
      say(`scale, ${pair.files.toLocaleString('en')} files`);
      await measureScale(pair, recorder);
    }
    return;
  }
  if (options.only === 'pace') {
    for (const pair of pairs) await measurePace(pair, recorder, say);
    return;
  }
  const isWanted = (part: Part) => options.only === undefined || options.only === part;
  if (isWanted('history')) {
    for (const pair of pairs) {
      say(`history, ${pair.files.toLocaleString('en')} files`);
      await measureHistory(pair, recorder);
    }
  }
  for (let round = 1; isWanted('refresh') && round <= rounds; round += 1) {
    for (const pair of pairs) {
      say(`round ${round} of ${rounds}, ${pair.files.toLocaleString('en')} files`);
      await measureRefresh(pair, recorder, Math.ceil(options.repetitions / rounds));
    }
  }
  const largest = pairs.at(-1);
  if (largest === undefined) return;
  if (isWanted('readers')) {
    say('readers');
    await measureReaders(largest, recorder);
  }
  say('comparing all figures with the tables');
  for (const pair of pairs) await assertExact(pair);
  if (isWanted('writes')) {
    say('single statements of a writer');
    await measureClientWrites(largest, recorder);
    await measureWrites(largest, recorder);
  }
  if (isWanted('writers')) {
    say('several writers, with each way to keep statistics');
    await measureWriters(largest, recorder);
  }
  if (isWanted('daemon')) {
    say('the daemon as a process');
    await measureDaemon(largest, recorder);
  }
}

function say(message: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${message}\n`);
}
