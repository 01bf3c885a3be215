import { summarize, type Recorder, type Subject, type Summary } from './recorder.js';
import { formatMs, verdict } from './table.js';
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

/** Returns the peers: medians of blocks, and the median ratio of blocks of the same round. */
export function writerRows(recorder: Recorder, files: number): string[][] {
  return writerCounts.flatMap((count) =>
    peers.flatMap(({ subject, label }) => {
      const find = (what: string) => recorder.summary(withWriters(count, what), subject, files);
      const rate = find(writing.rate);
      const median = find(writing.median);
      const p99 = find(writing.p99);
      if (!rate || !median || !p99) return [];
      const share = shareOfNone(recorder, subject, count, files);
      const deadlocks = recorder.values(withWriters(count, writing.deadlocks), subject, files);
      const target =
        subject === 'incremental' ? ['≥ 0.93', verdict(share.median >= 0.93)] : ['', ''];
      return [
        [
          String(count),
          label,
          spread(rate, 0),
          subject === 'baseline' ? '' : spread(share, 2),
          formatMs(median.median),
          formatMs(p99.median),
          String(deadlocks.reduce((sum, value) => sum + value, 0)),
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

function spread({ median, low, high }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** Returns what the server could not measure. */
export function leftOut(recorder: Recorder, files: number): string[] {
  const has = (subject: Subject) =>
    recorder.values(withWriters(1, writing.rate), subject, files).length > 0;
  return has('baseline') && !has('pg_ivm')
    ? ['pg_ivm is not installed on this server: left out']
    : [];
}
