export type Point = readonly [x: number, value: number];

export interface Line {
  readonly label: string;
  readonly color: string;
  /** At least one; all above 0. */
  readonly points: readonly Point[];
}

const width = 460;
const height = 340;
const left = 60;
const top = 40;

/** Draws at least one line with logarithmic axes, a grid of powers of ten, and a label each. */
export function drawPanel(offsetX: number, offsetY: number, title: string, lines: Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const x = scale(Math.min(...xs), Math.max(...xs), left, left + width - 90);
  const lowest = Math.floor(Math.log10(Math.min(...points.map(([, value]) => value))));
  const highest = Math.ceil(Math.log10(Math.max(...points.map(([, value]) => value))));
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
    .sort((a, b) => lastValue(a) - lastValue(b))
    .map((line) => {
      // From the bottom up, so that no label covers another.
      free = Math.min(free - 15, y(lastValue(line)) + 4);
      return draw(line, x, y, free);
    });
  return `<g transform="translate(${offsetX} ${offsetY})">
<text x="${left}" y="22" font-size="14">${title}</text>
${[...grid, ...ticks, ...drawn].join('\n')}
</g>`;
}

function lastValue({ points }: Line): number {
  return points.at(-1)?.[1] ?? NaN;
}

function draw({ label, color, points }: Line, x: Scale, y: Scale, labelY: number): string {
  const last = points.at(-1);
  if (last === undefined) return '';
  const path = points.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
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
