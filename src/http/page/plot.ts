import uPlot from './uplot.js';
import { create, setText } from './dom.js';
import {
  bytesScale,
  logarithmicScale,
  momentScale,
  plotAxes,
  type PlotOptions,
} from './plot-axes.js';

interface PlotSeries {
  readonly name: string;
  /** A CSS variable. */
  readonly color: string;
  /** One number per time; null if there is none. */
  readonly values: readonly (number | null)[];
  /** Marked by a dashed line, or a ring instead of a dot, not only by colour. */
  readonly isMarked?: boolean;
}

export interface PlotData {
  /** Seconds since 1970, ascending. */
  readonly moments: readonly number[];
  readonly series: readonly PlotSeries[];
}

export interface Plot {
  readonly element: HTMLElement;
  /** `summary` describes the chart in words. */
  show(data: PlotData, summary: string): void;
}

/**
 * Creates a chart with a legend that follows the pointer. Redraws it for a new width or colour
 * scheme.
 */
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
      // Without a pointer, show the newest values.
      setText(reading, readAt(shown, index ?? shown.moments.length - 1, options));
    };
    drawn = new uPlot(chartOptions(shown, width, options, read), columns(shown), canvas);
    read(undefined);
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
      legend.replaceChildren(...data.series.map((one) => legendEntry(one, options.kind)));
      draw();
    },
  };
}

function columns({ moments, series }: PlotData): uPlot.AlignedData {
  return [[...moments], ...series.map(({ values }) => [...values])];
}

function legendEntry(
  { name, color, isMarked }: PlotSeries,
  kind: PlotOptions['kind'],
): HTMLElement {
  const swatch = create('span', { class: `swatch ${kind}`, 'aria-hidden': 'true' });
  // Set through the CSSOM, because the content security policy refuses inline styles.
  swatch.style.setProperty('--swatch', `var(${color})`);
  if (isMarked === true) swatch.classList.add('marked');
  return create('li', {}, swatch, name);
}

function readAt({ moments, series }: PlotData, index: number, options: PlotOptions): string {
  const values = series
    .map(({ name, values }) => ({ name, value: values[index] ?? null }))
    .filter(({ value }) => value !== null && value !== 0)
    .map(({ name, value }) => `${name} ${options.format(value ?? 0)}`);
  return `${options.formatMoment(moments[index] ?? 0)}: ${values.join(', ')}`;
}

function chartOptions(
  { moments, series }: PlotData,
  width: number,
  { kind, scale, height, format }: PlotOptions,
  read: (index: number | null | undefined) => void,
): uPlot.Options {
  const colorOf = colors();
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: kind === 'lines' } },
    tzDate: (moment) => uPlot.tzDate(new Date(moment * 1_000), 'Etc/UTC'),
    scales: { x: momentScale(moments), y: scale === 'bytes' ? bytesScale : logarithmicScale },
    axes: plotAxes({ scale, format }, colorOf),
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

function seriesOptions(
  { name, isMarked = false }: PlotSeries,
  kind: PlotOptions['kind'],
  stroke: string,
): uPlot.Series {
  if (kind === 'points') {
    const shape = isMarked ? { size: 10, width: 2.5 } : { size: 5, fill: stroke };
    return { label: name, stroke, paths: () => null, points: { show: true, stroke, ...shape } };
  }
  const dash = isMarked ? { dash: [6, 4] } : {};
  return { label: name, stroke, width: 2, points: { show: false }, ...dash };
}

function colors(): (variable: string) => string {
  const style = getComputedStyle(document.documentElement);
  return (variable) => style.getPropertyValue(variable).trim();
}
