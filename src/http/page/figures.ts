import type { CountFigure, DepositFigure, Figures, Series } from '../../status/model.js';
import { ask, Refusal } from './ask.js';
import { create, setText } from './dom.js';
import { formatBytes, formatDollars, formatNumber } from './format.js';
import { createPlot, type Plot } from './plot.js';
import { createTable } from './table.js';

/** Creates the figures: stored bytes over the years, and current deposits and counts. */
export function createFigures(container: HTMLElement): { refresh(): Promise<void> } {
  const problem = create('p', { class: 'empty', role: 'status' });
  const charts = [
    createHistory('Stored bytes by storage option', ({ byStorageOption }) => byStorageOption),
    createHistory('Stored bytes by institution', ({ byInstitution }) => byInstitution),
  ];
  const tables = create('div', { class: 'tables' });
  container.append(
    problem,
    create('div', { class: 'charts' }, ...charts.map(({ element }) => element)),
    tables,
  );
  return {
    refresh: async () => {
      try {
        const response = await ask<Figures>('api/statistics');
        setText(problem, '');
        for (const chart of charts) chart.show(response.history);
        tables.replaceChildren(...createTables(response));
      } catch (error) {
        if (error instanceof Refusal) {
          setText(problem, `The statistics cannot be read: ${error.message}. ${error.hint ?? ''}`);
        }
      }
    },
  };
}

type History = Figures['history'];

function createHistory(
  title: string,
  seriesOf: (history: History) => readonly Series[],
): { readonly element: HTMLElement; show(history: History): void } {
  const plot = createPlot({
    kind: 'lines',
    scale: 'bytes',
    height: 260,
    format: formatBytes,
    formatMoment: (moment) => new Date(moment * 1_000).toISOString().slice(0, 10),
  });
  const caption = create('figcaption');
  const rows = create('div');
  const details = create('details', {}, create('summary', {}, 'As a table, by year'), rows);
  return {
    element: create('figure', {}, create('h3', {}, title), caption, plot.element, details),
    show: ({ months, ...history }) => {
      const series = seriesOf({ months, ...history });
      const isEmpty = series.length === 0;
      plot.element.hidden = isEmpty;
      details.hidden = isEmpty;
      const summary = isEmpty ? 'Nothing was stored yet.' : summarize(months, series);
      setText(caption, summary);
      drawHistory(plot, months, series, `${title}. ${summary}`);
      rows.replaceChildren(createYears(`${title}, last month of each year`, months, series));
    },
  };
}

function drawHistory(
  plot: Plot,
  months: readonly string[],
  series: readonly Series[],
  summary: string,
): void {
  plot.show(
    {
      moments: months.map((month) => Date.parse(month) / 1_000),
      series: series.map(({ name, bytes }, index) => ({
        name,
        color: `--series-${index % 10}`,
        values: bytes,
        isMarked: index % 2 === 1,
      })),
    },
    summary,
  );
}

function summarize(months: readonly string[], series: readonly Series[]): string {
  const total = series.reduce((sum, { bytes }) => sum + (bytes.at(-1) ?? 0), 0);
  const largest = series.reduce((one, other) =>
    (other.bytes.at(-1) ?? 0) > (one.bytes.at(-1) ?? 0) ? other : one,
  );
  return (
    `${formatBytes(total)} on ${months.at(-1) ?? ''}, since ${months[0] ?? ''}; ` +
    `most by ${largest.name}: ${formatBytes(largest.bytes.at(-1) ?? 0)}.`
  );
}

function createYears(
  caption: string,
  months: readonly string[],
  series: readonly Series[],
): HTMLElement {
  const indexes = months.flatMap((month, index) =>
    months[index + 1]?.slice(0, 4) === month.slice(0, 4) ? [] : [index],
  );
  return createTable(
    caption,
    [{ name: 'Month' }, ...series.map(({ name }) => ({ name, isNumber: true }))],
    indexes.map((index) => [
      months[index] ?? '',
      ...series.map(({ bytes }) => formatBytes(bytes[index] ?? 0)),
    ]),
  );
}

function createTables({ deposits, counts }: Figures): HTMLElement[] {
  return [
    createDeposits(
      'Current deposits by storage option',
      'Storage option',
      deposits.byStorageOption,
    ),
    createDeposits('Current deposits by institution', 'Institution', deposits.byInstitution),
    createTable(
      'Counts',
      [{ name: 'Subject' }, { name: 'Kind' }, { name: 'Rows', isNumber: true }],
      counts.map((count) => [count.subject, kindOf(count), formatNumber(count.rows)]),
    ),
  ];
}

function createDeposits(
  caption: string,
  name: string,
  rows: readonly DepositFigure[],
): HTMLElement {
  // Options with different prices have no common cost.
  const hasCost = rows.some(({ monthlyCost }) => monthlyCost !== null);
  const numbers = ['Objects', 'Files', 'Stored', ...(hasCost ? ['Cost a month'] : [])];
  return createTable(
    caption,
    [{ name }, ...numbers.map((column) => ({ name: column, isNumber: true }))],
    rows.map((row) => [
      row.name,
      formatNumber(row.objects),
      formatNumber(row.files),
      formatBytes(row.bytes),
      ...(hasCost ? [row.monthlyCost === null ? '' : formatDollars(row.monthlyCost)] : []),
    ]),
  );
}

const states: Readonly<Record<string, string>> = { A: 'active', D: 'deleted' };

function kindOf({ kind }: CountFigure): string {
  return kind === null ? 'all' : (states[kind] ?? kind);
}
