import { clientWrites } from './client-writes.js';
import { reading } from './readers.js';
import { quantile, type Recorder, type Summary } from './recorder.js';
import { verdict } from './table.js';
import { writes } from './write-statements.js';

/** Returns the writers: medians of blocks, and the median difference of paired blocks. */
export function writeRows(recorder: Recorder, files: number): string[][] {
  return [...Object.values(writes), ...Object.values(clientWrites)].flatMap((name) => {
    const off = recorder.summary(name, 'baseline', files);
    const on = recorder.summary(name, 'incremental', files);
    if (off === undefined || on === undefined) return [];
    const dearer = pairedDifference(recorder, name, files);
    const share = (100 * dearer) / off.median;
    const shown = `${us(dearer)}, ${share.toFixed(1)} %`;
    return [[name, spread(off), spread(on), shown, ...target(name, dearer, share)]];
  });
}

function target(name: string, us: number, share: number): [string, string] {
  switch (name) {
    case writes.insert:
    case clientWrites.insert:
    case writes.event:
      return ['≤ 25 µs', verdict(us <= 25)];
    case writes.batch:
    case clientWrites.batch:
      return ['≤ 6 %', verdict(share <= 6)];
    case writes.fixity:
    case clientWrites.fixity:
      return ['≤ 3 %', verdict(share <= 3)];
    default:
      return ['', ''];
  }
}

function pairedDifference(recorder: Recorder, name: string, files: number): number {
  const off = recorder.values(name, 'baseline', files);
  return quantile(
    recorder.values(name, 'incremental', files).map((on, block) => on - (off[block] ?? NaN)),
    0.5,
  );
}

export function readerRows(recorder: Recorder, files: number): string[][] {
  return (['baseline', 'incremental'] as const).flatMap((subject) =>
    Object.values(reading).flatMap((scenario) => {
      const found = recorder.summary(scenario, subject, files);
      if (found === undefined) return [];
      const side = subject === 'baseline' ? '001' : subject;
      const ms = (value: number) => `${value.toPrecision(3)} ms`;
      return [
        [scenario, side, ms(found.median), ms(found.p99), ms(found.max), String(found.count)],
      ];
    }),
  );
}

function spread({ median, low, high }: Summary): string {
  return `${us(median)} (${us(low)}–${us(high)})`;
}

function us(value: number): string {
  return Math.abs(value) >= 10_000
    ? `${(value / 1_000).toFixed(0)} ms`
    : `${value.toPrecision(3)} µs`;
}
