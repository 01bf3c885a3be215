import uPlot from './uplot.js';
import { create, setText } from './dom.js';

export interface PlotSeries {
  readonly name: string;
  /** A CSS variable with its colour. */
  readonly color: string;
  /** One number a moment; null where there is none. */
  readonly values: readonly (number | null)[];
  readonly isDashed?: boolean;
}

export interface PlotData {
  /** Seconds since 1970, ascending. */
  readonly moments: readonly number[];
  readonly series: readonly PlotSeries[];
}

export interface PlotOptions {
  readonly kind: 'lines' | 'points';
  readonly scale: 'linear' | 'log';
  readonly height: number;
  readonly format: (value: number) => string;
  readonly formatMoment: (moment: number) => string;
}

export interface Plot {
  readonly element: HTMLElement;
  /** `summary` says in words what the picture shows. */
  show(data: PlotData, summary: string): void;
}

/** A chart with a legend that follows the pointer; drawn anew for a new width or colour scheme. */
export function createPlot(options: PlotOptions): Plot {
  const canvas = create('div', { class: 'canvas', role: 'img' });
  const legend = create('ul', { class: 'legend' });
  const reading = create('p', { class: 'reading', 'aria-hidden': 'true' });
  const element = create('div', { class: 'plot' }, canvas, reading, legend);
  let current: PlotData | undefined;
  let drawn: uPlot | undefined;

  function draw(): void {
    drawn?.destroy();
    drawn = undefined;
    const width = Math.floor(canvas.clientWidth);
    if (current === undefined || current.moments.length === 0 || width === 0) return;
    const shown = current;
    const read = (index: number | null | undefined): void => {
      setText(reading, index == null ? '' : readAt(shown, index, options));
    };
    drawn = new uPlot(chartOptions(shown, width, options, read), columns(shown), canvas);
  }

  let width = 0;
  new ResizeObserver(() => {
    if (canvas.clientWidth === width) return;
    width = canvas.clientWidth;
    draw();
  }).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  return {
    element,
    show: (data, summary) => {
      current = data;
      canvas.setAttribute('aria-label', summary);
      legend.replaceChildren(...data.series.map(legendEntry));
      draw();
    },
  };
}

function columns({ moments, series }: PlotData): uPlot.AlignedData {
  return [[...moments], ...series.map(({ values }) => [...values])];
}

function legendEntry({ name, color, isDashed }: PlotSeries): HTMLElement {
  const swatch = create('span', { class: 'swatch', 'aria-hidden': 'true' });
  // A rule of the style sheet's by way of the CSSOM: markup with styles is refused by the policy.
  swatch.style.setProperty('--swatch', `var(${color})`);
  if (isDashed === true) swatch.classList.add('dashed');
  return create('li', {}, swatch, name);
}

function readAt({ moments, series }: PlotData, index: number, options: PlotOptions): string {
  const values = series
    .map(({ name, values }) => ({ name, value: values[index] ?? null }))
    .filter(({ value }) => value !== null && value !== 0)
    .map(({ name, value }) => `${name} ${options.format(value ?? 0)}`);
  return `${options.formatMoment(moments[index] ?? 0)}: ${values.join(', ')}`;
}

// The package declares a const enum, which has no value when the page runs.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const logarithmic: uPlot.Scale = { distr: 3 };

function chartOptions(
  { moments, series }: PlotData,
  width: number,
  { kind, scale, height, format }: PlotOptions,
  read: (index: number | null | undefined) => void,
): uPlot.Options {
  const colorOf = colors();
  const axis = { stroke: colorOf('--muted'), grid: { stroke: colorOf('--line'), width: 1 } };
  const [first = 0] = moments;
  // A single moment has no width: an hour on either side.
  const range = moments.length === 1 ? { range: [first - 3_600, first + 3_600] as const } : {};
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: kind === 'lines' } },
    tzDate: (moment) => uPlot.tzDate(new Date(moment * 1_000), 'Etc/UTC'),
    scales: {
      x: { time: true, ...(range as uPlot.Scale) },
      y: scale === 'log' ? logarithmic : { range: (_plot, _min, max) => [0, max * 1.05 || 1] },
    },
    axes: [
      { ...axis, space: 70 },
      { ...axis, size: 70, values: (_plot, ticks) => ticks.map((tick) => tickOf(tick, format)) },
    ],
    series: [{}, ...series.map((one) => seriesOptions(one, kind, colorOf(one.color)))],
    hooks: {
      setCursor: [
        (plot) => {
          read(plot.cursor.idx);
        },
      ],
    },
  };
}

/** uPlot gives no number for the ticks of a logarithmic scale that would stand too close. */
function tickOf(tick: number | null, format: (value: number) => string): string {
  return tick === null ? '' : format(tick);
}

function seriesOptions(
  { name, isDashed }: PlotSeries,
  kind: PlotOptions['kind'],
  stroke: string,
): uPlot.Series {
  if (kind === 'points') {
    return {
      label: name,
      stroke,
      paths: () => null,
      points: { show: true, size: 6, stroke, fill: stroke },
    };
  }
  return {
    label: name,
    stroke,
    width: 2,
    points: { show: false },
    ...(isDashed === true ? { dash: [6, 4] } : {}),
  };
}

function colors(): (variable: string) => string {
  const style = getComputedStyle(document.documentElement);
  return (variable) => style.getPropertyValue(variable).trim();
}
