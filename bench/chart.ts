import { fullRefresh, changed, changes, rebuildAll, unchanged } from './refresh.js';
import type { Recorder, Subject } from './recorder.js';

type Point = readonly [x: number, ms: number];
interface Line {
  readonly label: string;
  readonly color: string;
  readonly points: readonly Point[];
}

const width = 460;
const height = 340;
const left = 60;
const top = 40;

/**
 * Draws two panels with logarithmic axes: cost by size of the change, and by size of the tables.
 */
export function drawChart(recorder: Recorder, sizes: readonly number[]): string {
  const [small = NaN, large = NaN] = sizes;
  const at = (scenario: string, subject: Subject, files: number) =>
    recorder.summary(scenario, subject, files)?.median ?? NaN;
  const rows = changes.map((change) => change.rows);
  const bySize = (scenario: string, subject: Subject) =>
    sizes.map((files): Point => [files, at(scenario, subject, files)]);
  const byChange = (files: number) =>
    rows.map((changedRows): Point => [
      2 * changedRows,
      at(changed(changedRows), 'incremental', files),
    ]);
  const flat = (ms: number) =>
    [rows[0] ?? 1, rows.at(-1) ?? 1].map((changedRows): Point => [2 * changedRows, ms]);
  const change: Line[] = [
    { label: '001', color: '#b3261e', points: flat(at(fullRefresh, 'baseline', large)) },
    {
      label: 'bare scan',
      color: '#777',
      points: flat(at('bare scan of both tables', 'scan', large)),
    },
    { label: 'incremental', color: '#1f5fa8', points: byChange(large) },
    { label: 'a quarter', color: '#7fb2e5', points: byChange(small) },
  ];
  const size: Line[] = [
    { label: '001', color: '#b3261e', points: bySize(fullRefresh, 'baseline') },
    { label: 'rebuild', color: '#c77c02', points: bySize(rebuildAll, 'incremental') },
    { label: '1,000 + 1,000', color: '#1f5fa8', points: bySize(changed(1_000), 'incremental') },
    { label: 'unchanged', color: '#2e7d32', points: bySize(unchanged.functions, 'incremental') },
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1100 420" font-family="sans-serif" font-size="12">
<rect width="1100" height="420" fill="#fff"/>
${panel(0, 'ms against rows changed', change)}
${panel(550, 'ms against files in the table', size)}
</svg>
`;
}

function panel(offset: number, title: string, lines: Line[]): string {
  const points = lines.flatMap((line) => line.points).filter(([, ms]) => ms > 0);
  const xs = points.map(([x]) => x);
  const x = scale(Math.min(...xs), Math.max(...xs), left, left + width - 90);
  const lowest = Math.floor(Math.log10(Math.min(...points.map(([, ms]) => ms))));
  const highest = Math.ceil(Math.log10(Math.max(...points.map(([, ms]) => ms))));
  const y = scale(10 ** lowest, 10 ** highest, top + height, top);
  const grid: string[] = [];
  for (let power = lowest; power <= highest; power += 1) {
    const level = y(10 ** power).toFixed(1);
    grid.push(`<path d="M${left} ${level}H${left + width - 90}" stroke="#ddd"/>
<text x="${left - 6}" y="${level}" text-anchor="end">${(10 ** power).toLocaleString('en')}</text>`);
  }
  const ticks = [...new Set(xs)].map(
    (value) =>
      `<text x="${x(value).toFixed(1)}" y="${top + height + 18}" text-anchor="middle">${short(value)}</text>`,
  );
  let free = Infinity;
  const drawn = [...lines]
    .sort((a, b) => lastMs(a) - lastMs(b))
    .map((line) => {
      // From the bottom up, so that no label covers another.
      free = Math.min(free - 15, y(lastMs(line)) + 4);
      return draw(line, x, y, free);
    });
  return `<g transform="translate(${offset} 0)">
<text x="${left}" y="22" font-size="14">${title}</text>
${[...grid, ...ticks, ...drawn].join('\n')}
</g>`;
}

function lastMs({ points }: Line): number {
  return points.at(-1)?.[1] ?? NaN;
}

function draw({ label, color, points }: Line, x: Scale, y: Scale, labelY: number): string {
  const known = points.filter(([, ms]) => ms > 0);
  const last = known.at(-1);
  if (last === undefined) return '';
  const path = known.map(([value, ms]) => `${x(value).toFixed(1)} ${y(ms).toFixed(1)}`).join('L');
  return `<path d="M${path}" fill="none" stroke="${color}" stroke-width="2"/>
<text x="${(x(last[0]) + 6).toFixed(1)}" y="${labelY.toFixed(1)}" fill="${color}">${label}</text>`;
}

type Scale = (value: number) => number;

function scale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log10(high / low) || 1;
  return (value) => from + ((to - from) * Math.log10(value / low)) / span;
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1e3 ? `${value / 1e3} k` : String(value);
}
