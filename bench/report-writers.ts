import { summarize, type Recorder, type Subject, type Summary } from './recorder.js';
import { verdict } from './table.js';
import { withWriters, writerCounts, writing } from './writers.js';

/** The peers, in the order of the table. */
const peers: readonly { readonly subject: Subject; readonly label: string }[] = [
  { subject: 'baseline', label: 'no statistics' },
  { subject: 'incremental', label: 'capture' },
  { subject: 'refreshed', label: 'capture, refresh every second' },
  { subject: 'row triggers', label: 'summary tables, row triggers' },
  { subject: 'pg_ivm', label: 'pg_ivm' },
];

export const writerHeader = [
  'writers',
  'statistics',
  'transactions/s',
  'of none',
  'median',
  'p99',
  'deadlocks',
  'target',
  '',
];

/** Returns the peers: medians of blocks, and the median ratio of neighbouring blocks. */
export function writerRows(recorder: Recorder, files: number): string[][] {
  return writerCounts.flatMap((count) =>
    peers.flatMap(({ subject, label }) => {
      const find = (what: string) => recorder.summary(withWriters(count, what), subject, files);
      const rate = find(writing.rate);
      const median = find(writing.median);
      const p99 = find(writing.p99);
      const deadlocks = find(writing.deadlocks);
      if (!rate || !median || !p99 || !deadlocks) return [];
      const share = shareOfNone(recorder, subject, count, files);
      const target =
        subject === 'incremental' ? ['≥ 0.93', verdict(share.median >= 0.93)] : ['', ''];
      return [
        [
          String(count),
          label,
          spread(rate, (value) => value.toFixed(0)),
          subject === 'baseline' ? '' : spread(share, (value) => value.toFixed(2)),
          `${median.median.toPrecision(3)} ms`,
          `${p99.median.toPrecision(3)} ms`,
          (deadlocks.mean * deadlocks.count).toFixed(0),
          ...target,
        ],
      ];
    }),
  );
}

/** Returns the rate as a share of the rate without statistics in the same round. */
function shareOfNone(recorder: Recorder, subject: Subject, count: number, files: number): Summary {
  const rates = (of: Subject) => recorder.values(withWriters(count, writing.rate), of, files);
  const none = rates('baseline');
  return summarize(rates(subject).map((rate, round) => rate / (none[round] ?? NaN)));
}

function spread({ median, low, high }: Summary, format: (value: number) => string): string {
  return `${format(median)} (${format(low)}–${format(high)})`;
}

/** Returns what the server could not measure. */
export function leftOut(recorder: Recorder, files: number): string[] {
  const has = (subject: Subject) =>
    recorder.values(withWriters(1, writing.rate), subject, files).length > 0;
  return has('baseline') && !has('pg_ivm')
    ? ['pg_ivm is not installed on this server: left out']
    : [];
}
