import uPlot from './uplot.js';

export interface PlotOptions {
  readonly kind: 'lines' | 'points';
  /** Bytes start at zero, with ticks at powers of two. Durations are logarithmic. */
  readonly scale: 'bytes' | 'logarithmic';
  readonly height: number;
  readonly format: (value: number) => string;
  readonly formatMoment: (moment: number) => string;
}

/** Starts at zero, with space above. */
export const bytesScale: uPlot.Scale = { range: (_plot, _min, max) => [0, max * 1.05 || 1] };

// The package declares a const enum, which has no value when the page runs.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const logarithmic: uPlot.Scale = { distr: 3 };

/** Ends at powers of ten, which the axis labels. */
export const logarithmicScale: uPlot.Scale = {
  ...logarithmic,
  range: (_plot, min, max) => uPlot.rangeLog(min, max, 10, true),
};

/** A single time has no width, so the scale adds an hour on either side. */
export function momentScale([first, ...others]: readonly number[]): uPlot.Scale {
  if (first === undefined || others.length > 0) return { time: true };
  return { time: true, range: [first - 3_600, first + 3_600] };
}

/**
 * Returns the time axis at the bottom and the value axis at the left. Only labelled ticks have a
 * line.
 */
export function plotAxes(
  { scale, format }: Pick<PlotOptions, 'scale' | 'format'>,
  colorOf: (variable: string) => string,
): uPlot.Axis[] {
  const axis = { stroke: colorOf('--muted'), ticks: { show: false } };
  const grid = { stroke: colorOf('--line'), width: 1 };
  return [
    { ...axis, grid, size: 32, space: 75, values: (_plot, ticks) => nameMoments(ticks) },
    {
      ...axis,
      size: 70,
      values: (_plot, ticks: (number | null)[]) =>
        ticks.map((tick) => (tick === null ? '' : format(tick).replace(/\.0+(?= )/, ''))),
      ...(scale === 'bytes'
        ? { grid, incrs: powersOfTwo }
        : { grid: { ...grid, filter: powersOfTen }, filter: powersOfTen }),
    },
  ];
}

const powersOfTwo = Array.from({ length: 64 }, (_, exponent) => 2 ** exponent);

function powersOfTen(_plot: uPlot, ticks: number[]): (number | null)[] {
  return ticks.map((tick) => (Number.isInteger(Math.log10(tick)) ? tick : null));
}

/** Returns years, days or times of day in UTC, so that ticks differ. */
function nameMoments(ticks: readonly number[]): string[] {
  const [first = 0, second = first] = ticks;
  const step = second - first;
  return ticks.map((tick) => {
    const iso = new Date(tick * 1_000).toISOString();
    if (step >= 300 * 86_400) return iso.slice(0, 4);
    if (step >= 86_400) return iso.slice(0, 10);
    return step >= 60 || step === 0 ? iso.slice(11, 16) : iso.slice(11, 19);
  });
}
