import type { ChartScale } from './chart-scale.js';
import { stack, type ShownSeries } from './history-model.js';
import { createSvg } from './svg.js';
import type { Unit } from './unit.js';

/** A band that takes most of the picture gets a light area with an edge in its colour. */
const heavyShare = 0.4;

/** Draws the bands, one above the other, with axes. The cursor is a group of its own. */
export function drawStack(
  series: readonly ShownSeries[],
  scale: ChartScale,
  unit: Unit,
): { readonly picture: SVGElement; readonly cursor: SVGElement; readonly tops: readonly number[] } {
  const { width, height, start, end, x, y } = scale;
  const tops = stack(series, end + 1);
  const outline = tops.at(-1) ?? Array.from({ length: end + 1 }, () => 0);
  const cursor = createSvg('g');
  const picture = createSvg(
    'svg',
    { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    ...drawAxes(scale, unit),
    ...series.flatMap((one, index) =>
      drawBand(one, { lower: tops[index - 1], upper: tops[index] ?? [], outline, scale }),
    ),
    createSvg('path', { d: `M${line(outline, start, end, x, y)}`, class: 'outline' }),
    cursor,
  );
  return { picture, cursor, tops: outline };
}

interface Band {
  readonly lower: readonly number[] | undefined;
  readonly upper: readonly number[];
  readonly outline: readonly number[];
  readonly scale: ChartScale;
}

function drawBand(
  { name, place, values }: ShownSeries,
  { lower, upper, outline, scale: { start, end, x, y } }: Band,
): SVGElement[] {
  const floor = lower ?? upper.map(() => 0);
  const up = line(upper, start, end, x, y);
  const down = line(floor, start, end, x, y).split('L').reverse().join('L');
  const isHeavy = (values[end] ?? 0) > heavyShare * (outline[end] ?? 0);
  const classes = `band series-${place}${isHeavy ? ' heavy' : ''}`;
  const area = createSvg('path', { d: `M${up}L${down}Z`, class: classes, 'data-name': name });
  if (isHeavy) return [area, createSvg('path', { d: `M${up}`, class: `edge series-${place}` })];
  return [area, createSvg('path', { d: `M${down}`, class: 'cut' })];
}

function line(
  levels: readonly number[],
  start: number,
  end: number,
  x: ChartScale['x'],
  y: ChartScale['y'],
): string {
  return levels
    .slice(start, end + 1)
    .map((level, index) => `${x(start + index).toFixed(1)},${y(level).toFixed(1)}`)
    .join('L');
}

function drawAxes({ ticks, yearTicks, left, right, bottom, height, y }: ChartScale, unit: Unit) {
  const across = ticks.flatMap((bytes) => {
    const place = y(bytes);
    const value = Number((bytes / unit.bytes).toFixed(3)).toLocaleString('en-US');
    const text = bytes === 0 ? '0' : `${value} ${unit.name}`;
    return [
      createSvg('line', { x1: left, x2: right, y1: place, y2: place, class: 'grid' }),
      createSvg('text', { x: left - 8, y: place + 4, 'text-anchor': 'end' }, text),
    ];
  });
  const along = yearTicks.flatMap(({ x, text }) => [
    createSvg('line', { x1: x, x2: x, y1: bottom, y2: bottom + 4, class: 'tick' }),
    createSvg('text', { x, y: height - 7, 'text-anchor': 'middle' }, text),
  ]);
  return [...across, ...along];
}

/** Moves the cursor to a moment; the newest one has no line. */
export function drawCursor(
  cursor: SVGElement,
  { x, y, top, bottom, end }: ChartScale,
  { index, bytes, text }: { index: number; bytes: number; text: string },
): void {
  const place = x(index);
  const isRight = place > 150;
  cursor.replaceChildren(
    ...(index === end
      ? []
      : [createSvg('line', { x1: place, x2: place, y1: top - 10, y2: bottom, class: 'cursor' })]),
    createSvg('circle', { cx: place, cy: y(bytes), r: 4, class: 'dot' }),
    createSvg(
      'text',
      {
        x: isRight ? place - 9 : place + 9,
        y: Math.max(14, y(bytes) - 8),
        'text-anchor': isRight ? 'end' : 'start',
        class: 'reading',
      },
      text,
    ),
  );
}
