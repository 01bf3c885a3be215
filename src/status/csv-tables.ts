import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { readMonths, readSeries } from './deposit-history.js';
import { readCounts, readFigures } from './figures.js';
import type { DepositFigure, DepositTotal } from './figures-model.js';
import { readRuns, type RunsQuestion } from './run-history.js';

type Reading = Pick<Database, 'read'>;

/** A number stays a number: only text can be a formula. */
export type Cell = string | number | null;

export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const mostSeries = 500;
const mostCells = 20_000;
const mostRuns = 10_000;

/** The tables and charts of the page, by the name of the file. */
export const csvTables = {
  'institutions.csv': (database) => readDepositTable(database, 'byInstitution'),
  'storage-options.csv': (database) => readDepositTable(database, 'byStorageOption'),
  'institutions-by-option.csv': readCells,
  'months.csv': readMonthTable,
  'months-by-institution.csv': (database) => readSeriesTable(database, 'institution'),
  'months-by-option.csv': (database) => readSeriesTable(database, 'storage_option'),
  'counts.csv': readCountTable,
} as const satisfies Readonly<Record<string, (database: Reading) => Promise<CsvTable>>>;

export type CsvName = keyof typeof csvTables;

export function isCsvName(name: string): name is CsvName {
  return Object.hasOwn(csvTables, name);
}

/** Reads up to 10,000 recorded runs, newest first. */
export async function readRunTable(
  database: Reading,
  filter: Pick<RunsQuestion, 'job' | 'outcome'>,
): Promise<CsvTable> {
  const { runs } = await readRuns(database, { ...filter, limit: mostRuns });
  const columns = [
    ...['id', 'job', 'trigger', 'started_at', 'finished_at', 'duration_ms', 'outcome', 'reason'],
    ...['changes', 'views_refreshed', 'data_as_of'],
  ];
  const rows = runs.map((run) => [
    ...[run.id, run.job, run.trigger, run.startedAt, run.finishedAt, run.durationMs],
    ...[run.outcome, run.reason, run.changes, run.viewsRefreshed.join(' '), run.dataAsOf],
  ]);
  return { columns, rows };
}

async function readDepositTable(
  database: Reading,
  kind: 'byInstitution' | 'byStorageOption',
): Promise<CsvTable> {
  const { deposits, growthSince, history } = await readFigures(database);
  const name = kind === 'byInstitution' ? 'institution' : 'storage_option';
  const before = history.total.bytes[history.months.indexOf(growthSince.year ?? '')];
  const { total } = deposits;
  const columns = [name, 'bytes', 'files', 'objects', 'price_per_gb_usd', 'monthly_cost_usd'];
  return {
    columns: [...columns, `growth_bytes_since_${growthSince.year ?? 'a_year_ago'}`],
    rows: [
      ...(total === null ? [] : [depositRow(totalOf(kind, total, before))]),
      ...deposits[kind].map(depositRow),
    ],
  };
}

type DepositRow = Omit<DepositFigure, 'recentBytes'>;

function totalOf(kind: string, total: DepositTotal, before: number | undefined): DepositRow {
  const name = kind === 'byInstitution' ? 'All institutions' : 'All options';
  const yearGrowth = before === undefined ? null : total.bytes - before;
  return { ...total, name, pricePerGb: null, yearGrowth };
}

function depositRow(row: DepositRow): Cell[] {
  const { name, bytes, files, objects, pricePerGb, monthlyCost, yearGrowth } = row;
  return [name, bytes, files, objects, pricePerGb, roundedCost(monthlyCost), yearGrowth];
}

interface CellRow extends Record<string, unknown> {
  readonly institution: string;
  readonly option: string;
  readonly bytes: number;
  readonly files: number;
  readonly objects: number;
  readonly monthlyCost: number | null;
}

async function readCells(database: Reading): Promise<CsvTable> {
  const rows = await database.read<CellRow>(await readQuery('deposit_cells'), [mostCells]);
  return {
    columns: ['institution', 'storage_option', 'bytes', 'files', 'objects', 'monthly_cost_usd'],
    rows: rows.map(({ institution, option, bytes, files, objects, monthlyCost }) => [
      ...[institution, option, bytes, files, objects, roundedCost(monthlyCost)],
    ]),
  };
}

async function readMonthTable(database: Reading): Promise<CsvTable> {
  const months = await readMonths(database);
  return {
    columns: ['month', 'bytes', 'files', 'objects', 'monthly_cost_usd'],
    rows: months.map(({ month, bytes, files, objects, monthlyCost }) => [
      ...[month, bytes, files, objects, roundedCost(monthlyCost)],
    ]),
  };
}

async function readSeriesTable(
  database: Reading,
  kind: 'institution' | 'storage_option',
): Promise<CsvTable> {
  const months = await readMonths(database);
  const series = await readSeries(database, kind, mostSeries);
  return {
    columns: ['month', ...series.map(({ name }) => name)],
    rows: [
      ...months.map(({ month }, index) => [month, ...series.map(({ bytes }) => bytes[index] ?? 0)]),
      ['now', ...series.map(({ now }) => now)],
    ],
  };
}

async function readCountTable(database: Reading): Promise<CsvTable> {
  const counts = await readCounts(database);
  return {
    columns: ['subject', 'kind', 'rows'],
    rows: counts.map(({ subject, kind, rows }) => [subject, kind ?? 'all', rows]),
  };
}

function roundedCost(dollars: number | null): number | null {
  return dollars === null ? null : Math.round(dollars * 100) / 100;
}
