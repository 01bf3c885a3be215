import { historyAll, historyMonth } from './history.js';
import type { Recorder, Subject } from './recorder.js';
import { bareScan, changed, rebuildAll, unchanged } from './refresh.js';
import { memory, temporaryFiles, verifyAll } from './scale.js';
import { formatMs } from './table.js';
import { withWriters, writerCounts, writing } from './writers.js';

/** Returns each cost at both sizes, and how it grows. Empty unless scale was measured. */
export function scaleRows(recorder: Recorder, sizes: readonly number[]): string[][] {
  const large = sizes.at(-1) ?? NaN;
  if (recorder.summary(verifyAll, 'incremental', large) === undefined) return [];
  const row = (scenario: string, subject: Subject = 'incremental') => {
    const medians = sizes.map((files) => recorder.summary(scenario, subject, files)?.median ?? NaN);
    const [small = NaN] = medians;
    const bytes = (name: string) => {
      const found = recorder.summary(name, subject, large);
      return found === undefined ? '' : `${Math.round(found.median / 2 ** 20)} MiB`;
    };
    return [
      scenario,
      ...medians.map(formatMs),
      `${((medians.at(-1) ?? NaN) / small).toPrecision(3)}×`,
      bytes(temporaryFiles(scenario)),
      bytes(memory(scenario)),
    ];
  };
  return [
    row(unchanged.daemon),
    row(changed(1_000, 'daemon')),
    row(historyMonth),
    row(historyAll),
    row(rebuildAll),
    row(verifyAll),
    row(bareScan, 'scan'),
    ...writerCounts.map((writers) => writerRow(recorder, sizes, writers)),
  ];
}

function writerRow(recorder: Recorder, sizes: readonly number[], writers: number): string[] {
  const scenario = withWriters(writers, writing.rate);
  const shares = sizes.map((files) => {
    const rate = (subject: Subject) => recorder.summary(scenario, subject, files)?.median ?? NaN;
    return `${rate('incremental').toFixed(0)}/s, ${(rate('incremental') / rate('baseline')).toFixed(2)} of none`;
  });
  return [`ingest, writers: ${writers}`, ...shares, '', '', ''];
}
