import type { Figures } from '../../status/figures-model.js';
import { press, type Address } from './address.js';
import { createScale, nearestMoment, type ChartScale } from './chart-scale.js';
import { byId, create, setText } from './dom.js';
import { formatChange, formatPercent } from './format.js';
import { createLegend, sortedAt } from './history-legend.js';
import { createHistoryModel, startOf, type HistoryModel } from './history-model.js';
import { createHistoryTable } from './history-table.js';
import { makeSlider, setSlider } from './slider.js';
import { drawCursor, drawStack } from './stacked-chart.js';
import type { Unit } from './unit.js';

interface Drawn {
  readonly model: HistoryModel;
  readonly scale: ChartScale;
  readonly cursor: SVGElement;
  readonly tops: readonly number[];
  readonly unit: Unit;
}

/** The width of the chart on paper, in pixels. */
const printWidth = 440;

/** Stored bytes over time: chart, legend, table, and the choice of series and range. */
export class History {
  readonly #address: Address;
  readonly #box = byId('history-chart');
  readonly #plot = create('div', { class: 'plot' });
  readonly #chart = create('div');
  readonly #legend = create('div', { class: 'legend' });
  readonly #years = create('div', { class: 'scroll', tabindex: '0', role: 'region' });
  #figures: { readonly data: Figures; readonly unit: Unit; readonly now: Date } | undefined;
  #drawn: Drawn | undefined;
  #index: number | undefined;
  #width = 0;
  #isPrinting = false;

  constructor(address: Address) {
    this.#address = address;
    this.#plot.append(this.#chart);
    this.#years.setAttribute('aria-label', 'Stored by year');
    makeSlider(this.#chart, 'Month', {
      bounds: () => ({ first: this.#drawn?.scale.start ?? 0, last: this.#drawn?.scale.end ?? 0 }),
      page: 12,
      nearest: (x) => (this.#drawn === undefined ? 0 : nearestMoment(this.#drawn.scale, x)),
      onMove: (index) => {
        if (this.#index === index) return;
        this.#index = index;
        this.#showAt();
      },
    });
    this.#bindControls();
    new ResizeObserver(() => {
      if (Math.abs(this.#plot.clientWidth - this.#width) > 1) this.#draw();
    }).observe(this.#box);
  }

  show(data: Figures, unit: Unit, now: Date): void {
    this.#figures = { data, unit, now };
    this.#draw();
  }

  setPrinting(isPrinting: boolean): void {
    this.#isPrinting = isPrinting;
    this.#draw();
  }

  #bindControls(): void {
    const buttons = document.querySelectorAll<HTMLElement>('[data-by], [data-range]');
    for (const button of buttons) {
      button.addEventListener('click', () => {
        const { by, range } = button.dataset;
        if (by === 'option' || by === 'institution') this.#address.choose({ by, only: [] });
        if (range === '1' || range === '5' || range === 'all') this.#address.choose({ range });
        this.#index = undefined;
        this.#draw();
      });
    }
  }

  #draw(): void {
    const { by, range } = this.#address.chosen;
    const buttons = document.querySelectorAll<HTMLElement>('[data-by], [data-range]');
    press(
      buttons,
      ({ dataset }) =>
        (dataset['by'] ?? dataset['range']) === (dataset['by'] === undefined ? range : by),
    );
    if (this.#figures === undefined) return;
    const { data, unit, now } = this.#figures;
    const model = createHistoryModel(data, by, now);
    if (model.series.length === 0) {
      this.#showEmpty();
      return;
    }
    this.#build();
    this.#width = this.#plot.clientWidth;
    const start = startOf(range, data.history, data.growthSince.year, model.total);
    const { only } = this.#address.chosen;
    const series = model.series.filter(({ name }) => only.length === 0 || only.includes(name));
    const most = Math.max(
      ...model.moments.map((_, index) =>
        index < start ? 0 : series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
      ),
    );
    const width = this.#isPrinting ? printWidth : this.#chart.clientWidth;
    const scale = createScale(model, { start, most, width, unit, zoom: textZoom() });
    const { picture, cursor, tops } = drawStack(series, scale, unit);
    this.#chart.replaceChildren(picture);
    this.#drawn = { model, scale, cursor, tops, unit };
    this.#years.replaceChildren(createHistoryTable(model, start, unit));
    setText(byId('history-note'), describeRange(this.#drawn, range, only));
    this.#showAt();
  }

  #showEmpty(): void {
    this.#drawn = undefined;
    this.#box.replaceChildren(
      create('p', { class: 'empty' }, 'Nothing is stored yet, so there is no history to show.'),
    );
    setText(byId('history-note'), '');
  }

  #build(): void {
    if (this.#plot.isConnected) return;
    const csv = create(
      'p',
      { class: 'downloads' },
      create('a', { href: 'api/csv/months-by-option.csv', download: '' }, 'CSV by option'),
      create(
        'a',
        { href: 'api/csv/months-by-institution.csv', download: '' },
        'CSV by institution',
      ),
      create('a', { href: 'api/csv/months.csv', download: '' }, 'CSV of totals'),
    );
    const details = create(
      'details',
      {},
      create('summary', {}, 'As a table, by year'),
      this.#years,
    );
    this.#box.replaceChildren(
      this.#plot,
      this.#legend,
      create('div', { class: 'history-foot' }, details, csv),
    );
  }

  #showAt(): void {
    if (this.#drawn === undefined) return;
    const { model, scale, cursor, tops, unit } = this.#drawn;
    const index = this.#index ?? scale.end;
    const bytes = tops[index] ?? 0;
    drawCursor(cursor, scale, { index, bytes, text: unit.formatWithName(bytes) });
    const { by, only } = this.#address.chosen;
    const caption = `Stored at the cursor, by ${by === 'option' ? 'storage option' : 'institution'}`;
    const held = (document.activeElement as HTMLElement | null)?.dataset['name'];
    const choose = (chosen: readonly string[]): void => {
      this.#address.choose({ only: chosen });
      this.#draw();
    };
    const options = { unit, index, only, caption, onChoose: choose };
    this.#legend.replaceChildren(...createLegend(model, options));
    if (held !== undefined && !this.#chart.matches(':focus')) {
      this.#legend.querySelector<HTMLElement>(`[data-name="${CSS.escape(held)}"]`)?.focus();
    }
    const largest = sortedAt(model, index)
      .slice(0, 3)
      .map(({ name, values }) => `${name} ${unit.formatWithName(values[index] ?? 0)}`);
    setSlider(this.#chart, {
      first: scale.start,
      last: scale.end,
      now: index,
      text: `${model.labels[index] ?? ''}: total ${unit.formatWithName(model.total[index] ?? 0)}. ${largest.join(', ')}`,
    });
  }
}

function textZoom(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/** Returns 'Total: +1.417 TiB since 1 Dec 2025, +18 %', or the total and its first year. */
function describeRange(
  { model, scale: { start, end }, tops, unit }: Drawn,
  range: string,
  only: readonly string[],
): string {
  const name =
    only.length === 0 ? 'Total' : only.length === 1 ? only[0] : `${only.length} selected`;
  const [before = 0, after = 0] = [tops[start], tops[end]];
  if (range === 'all') {
    const first = model.total.findIndex((bytes) => bytes > 0);
    const year = model.moments[first]?.getUTCFullYear() ?? '';
    return `${name ?? ''}: ${unit.formatWithName(after)}, since ${year}`;
  }
  const share =
    before === 0
      ? ''
      : `, ${formatChange((after - before) / before, (part) => formatPercent(part, 0))}`;
  const growth = formatChange(after - before, unit.formatWithName);
  return `${name ?? ''}: ${growth} since ${model.labels[start] ?? ''}${share}`;
}
