import { createSvg } from './svg.js';

/**
 * Returns bars of the change from each level to the next. A level that only rises shows nothing; its
 * change does. The last bar is the month so far, and dark.
 */
export function createBars(levels: readonly number[], width: number, height: number): SVGElement {
  const changes = levels.slice(1).map((level, index) => level - (levels[index] ?? 0));
  const most = Math.max(...changes, 1e-9);
  const step = width / Math.max(changes.length, 1);
  return createSvg(
    'svg',
    {
      class: 'bars',
      viewBox: `0 0 ${width} ${height}`,
      height,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...changes.map((change, index) => {
      const size = Math.max(1, (Math.max(0, change) / most) * (height - 1));
      return createSvg('rect', {
        x: index * step,
        width: step * 0.68,
        y: height - size,
        height: size,
        class: index === changes.length - 1 ? 'bar-now' : 'bar',
      });
    }),
  );
}

/** Returns a bar of a share between 0 and 1. */
export function createShareBar(share: number, className: string): SVGElement {
  const width = `${Math.round(Math.max(0, share) * 10_000) / 100}%`;
  return createSvg(
    'svg',
    { class: `share-bar ${className}`, 'aria-hidden': 'true' },
    createSvg('rect', { width, height: '100%', class: 'bar' }),
  );
}
