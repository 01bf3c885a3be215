import { writeFile } from 'node:fs/promises';
import { measureClientWrites } from './client-writes.js';
import { drawChart } from './chart.js';
import { describeEnvironment } from './environment.js';
import { measureHistory } from './history.js';
import { parseOptions, usage, type BenchOptions } from './options.js';
import { createPair, type Pair } from './pair.js';
import { measureReaders } from './readers.js';
import { Recorder } from './recorder.js';
import { assertExact, measureRefresh } from './refresh.js';
import { renderReport } from './report.js';
import { startServer } from './server.js';
import { measureWrites } from './writes.js';

/** Rounds over all sizes. Slow measurements run once in each. */
const rounds = 3;

const options = parseOptions(process.argv.slice(2));
if (options === undefined) process.stdout.write(`${usage}\n`);
else await run(options);

async function run(options: BenchOptions): Promise<void> {
  const server = await startServer(options.url);
  const recorder = new Recorder();
  const pairs: Pair[] = [];
  try {
    for (const part of [4, 1]) {
      const files = Math.ceil(options.files / part);
      say(`creating two databases of ${files.toLocaleString('en')} files`);
      const events = Math.ceil(options.events / part);
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

async function measure(pairs: Pair[], recorder: Recorder, options: BenchOptions): Promise<void> {
  for (const pair of pairs) {
    say(`history, ${pair.files.toLocaleString('en')} files`);
    await measureHistory(pair, recorder);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const pair of pairs) {
      say(`round ${round} of ${rounds}, ${pair.files.toLocaleString('en')} files`);
      await measureRefresh(pair, recorder, Math.ceil(options.repetitions / rounds));
    }
  }
  const largest = pairs.at(-1);
  if (largest === undefined) return;
  say('readers');
  await measureReaders(largest, recorder);
  say('comparing all figures with the tables');
  for (const pair of pairs) await assertExact(pair);
  say('writers');
  await measureClientWrites(largest, recorder);
  await measureWrites(largest, recorder);
}

function say(message: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${message}\n`);
}
