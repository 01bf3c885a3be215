import type { Environment } from './environment.js';
import { daemonRows } from './daemon.js';
import { readerRows, writeRows } from './report-traffic.js';
import { scaleRows } from './report-scale.js';
import { leftOut, writerHeader, writerRows } from './report-writers.js';
import { paceRows } from './pace.js';
import { baselineHistory, historyAll, historyMonth } from './history.js';
import type { Recorder, Summary } from './recorder.js';
import {
  bareRefresh,
  bareScan,
  changed,
  changes,
  fullRefresh,
  rebuildAll,
  unchanged,
} from './refresh.js';
import { formatMs, renderTable, verdict } from './table.js';

const months = 155;
const count = (value: number) => value.toLocaleString('en');

/** Returns all results as Markdown: medians, with the middle 80 per cent. */
export function renderReport(
  recorder: Recorder,
  sizes: number[],
  environment: Environment,
): string {
  const large = sizes.at(-1) ?? NaN;
  const refreshHeader = ['what', 'files', '001', 'incremental', 'ratio', 'target', ''];
  const writeHeader = ['write', 'capture off', 'capture on', 'dearer', 'target', ''];
  const readerHeader = ['read', 'side', 'p50', 'p99', 'max', 'reads'];
  const scaleHeader = ['what', ...sizes.map(count), 'growth', 'temporary files', 'memory'];
  const scale = scaleRows(recorder, sizes);
  const refreshed = sizes.flatMap((files) => refreshRows(recorder, files));
  const settings = Object.entries(environment.settings).map((setting) => setting.join(' '));
  const head = [
    `PostgreSQL ${environment.postgres}, Node ${environment.node}, ${environment.cpu}, ` +
      `${environment.memoryGb} GB, load ${environment.loadAverage.toFixed(1)} at the start`,
    settings.join(', '),
  ];
  if (scale.length > 0) return [...head, ...section(scaleHeader, scale)].join('\n');
  const pace = paceRows(recorder, large);
  if (pace.length > 0) return [...head, ...section(['what', ''], pace)].join('\n');
  return [
    ...head,
    ...section(refreshHeader, [...refreshed, ...growthRows(recorder, sizes)]),
    ...section(writeHeader, writeRows(recorder, large)),
    ...section(writerHeader, writerRows(recorder, large)),
    ...leftOut(recorder, large),
    ...section(readerHeader, readerRows(recorder, large)),
    ...section(['the daemon', '', 'target', ''], daemonRows(recorder, large)),
  ].join('\n');
}

/** Returns the table after an empty line; nothing if its part was not measured. */
function section(header: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', renderTable(header, rows)];
}

function refreshRows(recorder: Recorder, files: number): string[][] {
  const base = recorder.summary(fullRefresh, 'baseline', files);
  const row = (
    scenario: string,
    target: string,
    isMet?: (ms: number, ratio: number) => boolean,
  ) => {
    const found = recorder.summary(scenario, 'incremental', files);
    const own = recorder.summary(scenario, 'baseline', files) ?? base;
    if (found === undefined || own === undefined) return [];
    const ratio = own.median / found.median;
    const met = isMet === undefined ? '' : verdict(isMet(found.median, ratio));
    return [[scenario, count(files), cell(own), cell(found), times(ratio), target, met]];
  };
  const scan = recorder.summary(bareScan, 'scan', files);
  const bare = recorder.summary(bareRefresh, 'scan', files);
  const cheap = (ms: number, ratio: number) => ms <= 3 && ratio > 5_000;
  return [
    ...row(unchanged.functions, '≤ 3 ms, > 5,000×', cheap),
    ...row(unchanged.begin, '≤ 3 ms, > 5,000×', cheap),
    ...row(unchanged.daemon, '≤ 1.5 ms, > 10,000×', (ms, ratio) => ms <= 1.5 && ratio > 10_000),
    ...row(unchanged.connection, ''),
    ...changes.flatMap(({ rows }) =>
      rows === 1_000
        ? row(changed(rows), '≤ 120 ms, > 150×', (ms, ratio) => ms <= 120 && ratio > 150)
        : row(changed(rows), ''),
    ),
    ...row(changed(1_000, 'daemon'), '≤ 120 ms, > 150×', (ms, ratio) => ms <= 120 && ratio > 150),
    ...row(rebuildAll, '≥ 2×', (_, ratio) => ratio >= 2),
    ...row(historyMonth, '≤ 100 ms', (ms) => ms <= 100),
    ...historyRow(recorder, files),
    ...(bare === undefined ? [] : [[bareRefresh, count(files), '', cell(bare), '', '', '']]),
    ...(scan === undefined ? [] : [[bareScan, count(files), '', cell(scan), '', '', '']]),
  ];
}

function historyRow(recorder: Recorder, files: number): string[][] {
  const found = recorder.summary(historyAll, 'incremental', files);
  const { ms, isSampled } = baselineHistory(recorder, files, months);
  if (found === undefined || Number.isNaN(ms)) return [];
  const shown = `${formatMs(ms)}${isSampled ? ' (from a sample of months)' : ''}`;
  const ratio = ms / found.median;
  const name = `history, ${months} months`;
  return [[name, count(files), shown, cell(found), times(ratio), '> 100×', verdict(ratio > 100)]];
}

/** Returns the cost of the same change on the large tables, divided by that on the small ones. */
function growthRows(recorder: Recorder, [small, large]: number[]): string[][] {
  if (small === undefined || large === undefined) return [];
  const targets = new Set([changed(1_000), historyMonth]);
  return [...changes.map(({ rows }) => changed(rows)), historyMonth].flatMap((scenario) => {
    const before = recorder.summary(scenario, 'incremental', small);
    const after = recorder.summary(scenario, 'incremental', large);
    if (before === undefined || after === undefined) return [];
    const growth = after.median / before.median;
    const sizes = `${count(small)} → ${count(large)}`;
    const target = targets.has(scenario) ? ['≤ 1.2×', verdict(growth <= 1.2)] : ['', ''];
    return [[`growth of ${scenario}`, sizes, '', '', times(growth), ...target]];
  });
}

function cell({ median, low, high, count: measured }: Summary): string {
  return measured === 1
    ? formatMs(median)
    : `${formatMs(median)} (${formatMs(low)}–${formatMs(high)})`;
}

function times(ratio: number): string {
  return ratio >= 100 ? `${count(Math.round(ratio))}×` : `${ratio.toPrecision(3)}×`;
}
