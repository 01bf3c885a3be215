import { drawPanel, type Line, type Point } from './chart-panel.js';
import { fullRefresh, changed, changes, rebuildAll, unchanged } from './refresh.js';
import type { Recorder, Subject } from './recorder.js';
import { withWriters, writerCounts, writing } from './writers.js';

const panelWidth = 550;
const panelHeight = 420;

/**
 * Draws panels with logarithmic axes: cost by size of the change and by size of the tables, rate
 * and wait of writers by their number. A panel without measurements is left out.
 */
export function drawChart(recorder: Recorder, sizes: readonly number[]): string {
  const panels = [
    { title: 'ms against rows changed', lines: linesByChange(recorder, sizes) },
    { title: 'ms against files in the table', lines: linesBySize(recorder, sizes) },
    {
      title: 'transactions a second against writers',
      lines: linesByWriters(recorder, sizes, writing.rate),
    },
    {
      title: 'ms of a transaction (p99) against writers',
      lines: linesByWriters(recorder, sizes, writing.p99),
    },
  ].filter(({ lines }) => lines.length > 0);
  const drawn = panels.map(({ title, lines }, place) =>
    drawPanel((place % 2) * panelWidth, Math.floor(place / 2) * panelHeight, title, lines),
  );
  const width = 2 * panelWidth;
  const height = Math.ceil(panels.length / 2) * panelHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function linesByChange(recorder: Recorder, sizes: readonly number[]): Line[] {
  const [small = NaN] = sizes;
  const large = sizes.at(-1) ?? NaN;
  const at = medians(recorder);
  const rows = changes.map((change) => change.rows);
  const byChange = (files: number) =>
    rows.map((changedRows): Point => [
      2 * changedRows,
      at(changed(changedRows), 'incremental', files),
    ]);
  const flat = (ms: number) =>
    [rows[0] ?? 1, rows.at(-1) ?? 1].map((changedRows): Point => [2 * changedRows, ms]);
  return measured([
    { label: '001', color: '#b3261e', points: flat(at(fullRefresh, 'baseline', large)) },
    {
      label: 'bare scan',
      color: '#777',
      points: flat(at('bare scan of both tables', 'scan', large)),
    },
    { label: 'incremental', color: '#1f5fa8', points: byChange(large) },
    { label: 'a quarter', color: '#7fb2e5', points: byChange(small) },
  ]);
}

function linesBySize(recorder: Recorder, sizes: readonly number[]): Line[] {
  const at = medians(recorder);
  const bySize = (scenario: string, subject: Subject) =>
    sizes.map((files): Point => [files, at(scenario, subject, files)]);
  return measured([
    { label: '001', color: '#b3261e', points: bySize(fullRefresh, 'baseline') },
    { label: 'rebuild', color: '#c77c02', points: bySize(rebuildAll, 'incremental') },
    { label: '1,000 + 1,000', color: '#1f5fa8', points: bySize(changed(1_000), 'incremental') },
    { label: 'unchanged', color: '#2e7d32', points: bySize(unchanged.functions, 'incremental') },
  ]);
}

function linesByWriters(recorder: Recorder, sizes: readonly number[], what: string): Line[] {
  const at = medians(recorder);
  const large = sizes.at(-1) ?? NaN;
  const byWriters = (subject: Subject) =>
    writerCounts.map((count): Point => [count, at(withWriters(count, what), subject, large)]);
  return measured([
    { label: 'no statistics', color: '#777', points: byWriters('baseline') },
    { label: 'capture', color: '#1f5fa8', points: byWriters('incremental') },
    { label: 'row triggers', color: '#b3261e', points: byWriters('row triggers') },
    { label: 'pg_ivm', color: '#c77c02', points: byWriters('pg_ivm') },
  ]);
}

/** Returns a function that returns the median of a measurement; NaN if there is none. */
function medians(recorder: Recorder) {
  return (scenario: string, subject: Subject, files: number) =>
    recorder.summary(scenario, subject, files)?.median ?? NaN;
}

/** Returns the lines without missing points, and without lines that have none. */
function measured(lines: Line[]): Line[] {
  return lines
    .map((line) => ({ ...line, points: line.points.filter(([, value]) => value > 0) }))
    .filter(({ points }) => points.length > 0);
}
