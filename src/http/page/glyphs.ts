import { createSvg } from './svg.js';
import type { RunOutcome, Tone } from './words.js';

type Shape = () => SVGElement;

/** A shape for each outcome, so that no colour alone tells it. Drawn in a box of 14 × 14. */
const outcomeShapes: Readonly<Record<RunOutcome, Shape>> = {
  refreshed: () => createSvg('rect', { x: 4, y: 1, width: 6, height: 12, rx: 1, class: 'run' }),
  skipped: () => createSvg('rect', { x: 4, y: 10, width: 6, height: 3, rx: 1, class: 'idle' }),
  failed: () => createSvg('path', { d: 'M2.5 2.5l9 9m0-9l-9 9', class: 'failure' }),
  cancelled: () =>
    createSvg('rect', { x: 4.5, y: 1.5, width: 5, height: 11, rx: 1, class: 'hollow' }),
  crashed: () => createSvg('path', { d: 'M7 1.5l6 11H1z', class: 'crash' }),
  running: () => createSvg('circle', { cx: 7, cy: 7, r: 4.6, class: 'ring' }),
};

export function createGlyph(outcome: RunOutcome): SVGSVGElement {
  const box = { viewBox: '0 0 14 14', width: 14, height: 14, 'aria-hidden': 'true' };
  return createSvg('svg', { ...box, class: 'glyph' }, outcomeShapes[outcome]());
}

const levelShapes: Readonly<Record<Tone, readonly [string, string]>> = {
  good: ['M14 1a13 13 0 1 1 0 26a13 13 0 1 1 0-26z', 'M8 14.5l4.2 4.2L20.4 10'],
  bad: ['M8.6 1h10.8L27 8.6v10.8L19.4 27H8.6L1 19.4V8.6z', 'M9.5 9.5l9 9m0-9l-9 9'],
  wait: ['M14 .5L27.5 14 14 27.5.5 14z', 'M11 9.5v9m6-9v9'],
  none: ['M14 1a13 13 0 1 1 0 26a13 13 0 1 1 0-26z', 'M14 8v6.5l4 2.5'],
};

/** Returns a disc with a tick, an octagon with a cross, a diamond with bars, or a clock. */
export function createLevelIcon(tone: Tone, size: number): SVGSVGElement {
  const [body, mark] = levelShapes[tone];
  return createSvg(
    'svg',
    {
      viewBox: '0 0 28 28',
      width: size,
      height: size,
      class: `level ${tone}`,
      'aria-hidden': 'true',
    },
    createSvg('path', { d: body, class: 'level-body' }),
    createSvg('path', { d: mark, class: 'level-mark' }),
  );
}
