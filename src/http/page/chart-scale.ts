import type { HistoryModel } from './history-model.js';
import type { Unit } from './unit.js';

/** Where moments and bytes are in the picture, in pixels. */
export interface ChartScale {
  readonly width: number;
  readonly height: number;
  readonly start: number;
  readonly end: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (index: number) => number;
  readonly y: (bytes: number) => number;
  /** Bytes of the lines across. */
  readonly ticks: readonly number[];
  readonly yearTicks: readonly { readonly x: number; readonly text: string }[];
}

interface Space {
  readonly start: number;
  /** Bytes of the highest point. */
  readonly most: number;
  readonly width: number;
  readonly unit: Unit;
  /** The reader's text size as a multiple of the usual one. */
  readonly zoom: number;
}

export function createScale(
  { moments }: HistoryModel,
  { start, most, width, unit, zoom }: Space,
): ChartScale {
  const height = width < 480 ? 240 : 380;
  const margin = { left: 56 * zoom, right: 14, top: 26 * zoom, bottom: 26 * zoom };
  const end = moments.length - 1;
  const times = moments.map((moment) => moment.getTime());
  const first = times[start] ?? 0;
  const span = Math.max(1, (times[end] ?? 0) - first);
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const highest = most * 1.04 || unit.bytes;
  const x = (index: number): number =>
    margin.left + (((times[index] ?? 0) - first) / span) * (right - margin.left);
  const y = (bytes: number): number => bottom - (bytes / highest) * (bottom - margin.top);
  return {
    ...{ width, height, start, end, left: margin.left, right, top: margin.top, bottom, x, y },
    ticks: ticksOf(highest, unit, height > 300 ? 5.5 : 4),
    yearTicks: timeTicks(moments, start, x, { right, apart: 46 * zoom }),
  };
}

function ticksOf(highest: number, unit: Unit, wanted: number): number[] {
  const rough = highest / unit.bytes / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let tick = 0; tick * unit.bytes <= highest; tick += step) ticks.push(tick * unit.bytes);
  return ticks;
}

const month = new Intl.DateTimeFormat('en-US', { month: 'short', timeZone: 'UTC' });

/** Returns years, or months where less than three years are shown, without overlap. */
function timeTicks(
  moments: readonly Date[],
  start: number,
  x: (index: number) => number,
  { right, apart }: { readonly right: number; readonly apart: number },
): { x: number; text: string }[] {
  const isYearly = moments.length - start > 36;
  const ticks: { x: number; text: string }[] = [];
  for (let index = start; index < moments.length - 1; index++) {
    const moment = moments[index] ?? new Date(0);
    const isYear = moment.getUTCMonth() === 0;
    if (isYearly && !isYear) continue;
    const place = x(index);
    const isFree = place - (ticks.at(-1)?.x ?? -99) >= apart && place <= right - 14;
    if (!isFree) continue;
    ticks.push({ x: place, text: isYear ? String(moment.getUTCFullYear()) : month.format(moment) });
  }
  return ticks;
}

/** Returns the moment nearest to a place in the picture. */
export function nearestMoment({ start, end, x }: ChartScale, place: number): number {
  let best = start;
  for (let index = start; index <= end; index++) {
    if (Math.abs(x(index) - place) < Math.abs(x(best) - place)) best = index;
  }
  return best;
}
