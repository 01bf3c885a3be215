import type { RunRecord } from '../../status/model.js';
import type { Clock } from './clock.js';
import { create, setText } from './dom.js';
import { countOf, formatDuration, formatSpan } from './format.js';
import { makeSlider, setSlider } from './slider.js';
import { createSvg } from './svg.js';
import { isOutcome, outcomeWords, type RunOutcome } from './words.js';

export const stripRuns = 30;

const cell = 11;
const width = stripRuns * cell;
const height = 32;

/** The last runs of a job: a shape for the outcome, and its height for the duration. */
export interface Strip {
  readonly element: HTMLElement;
  /** `runs` has the newest first. */
  show(runs: readonly RunRecord[], clock: Clock): void;
}

/** Creates a strip that can be read run by run: by pointer, touch and keyboard. */
export function createStrip(title: string): Strip {
  const picture = create('div', { class: 'strip' });
  const caption = create('p', { class: 'strip-caption' });
  let runs: readonly RunRecord[] = [];
  let summary = '';
  let clock: Clock | undefined;
  const first = (): number => stripRuns - runs.length;

  function read(position: number | undefined): void {
    const run = position === undefined ? undefined : runs[position - first()];
    const text = run === undefined || clock === undefined ? summary : describeRun(run, clock);
    for (const [index, group] of [...picture.querySelectorAll('g')].entries()) {
      group.classList.toggle('here', run !== undefined && runs[index] === run);
    }
    setText(caption, text);
    if (runs.length === 0) return;
    const now = position ?? stripRuns - 1;
    setSlider(picture, { first: first(), last: stripRuns - 1, now, text });
  }

  return {
    element: create('div', {}, picture, caption),
    show: (newest, at) => {
      runs = newest.slice(0, stripRuns).toReversed();
      clock = at;
      summary = summarize(runs, at.now());
      picture.replaceChildren(draw(runs));
      if (runs.length > 0 && !picture.hasAttribute('role')) {
        makeSlider(picture, `Last runs: ${title}`, {
          bounds: () => ({ first: first(), last: stripRuns - 1 }),
          page: 10,
          nearest: (x) => nearestRun(x / (picture.clientWidth || width), first()),
          onMove: read,
        });
      }
      read(undefined);
    },
  };
}

function nearestRun(share: number, first: number): number {
  const position = Math.floor(share * stripRuns);
  return Math.min(stripRuns - 1, Math.max(first, position));
}

function draw(runs: readonly RunRecord[]): SVGElement {
  return createSvg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, height, 'aria-hidden': 'true' },
    createSvg('line', { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5, class: 'grid' }),
    ...runs.map((run, index) => {
      const x = (stripRuns - runs.length + index) * cell;
      const back = { x, y: 0, width: cell, height };
      const outcome = outcomeOf(run);
      const tone = outcome === 'failed' || outcome === 'crashed' ? 'cell bad-cell' : 'cell';
      return createSvg('g', {}, createSvg('rect', { ...back, class: tone }), drawRun(run, x));
    }),
  );
}

function drawRun(run: RunRecord, x: number): SVGElement {
  const middle = x + cell / 2;
  const shapes: Readonly<Record<RunOutcome, () => SVGElement>> = {
    refreshed: () => {
      const size = barHeight(run.durationMs ?? 0);
      const y = height - 1 - size;
      return createSvg('rect', { x: x + 1.5, y, width: 8, height: size, rx: 1.5, class: 'run' });
    },
    skipped: () =>
      createSvg('rect', { x: x + 1.5, y: height - 4, width: 8, height: 3, rx: 1, class: 'idle' }),
    failed: () =>
      createSvg('path', { d: `M${middle - 3.8} 12.2l7.6 7.6m0-7.6l-7.6 7.6`, class: 'failure' }),
    cancelled: () =>
      createSvg('rect', { x: x + 2.2, y: 11, width: 6.6, height: 20, rx: 1, class: 'hollow' }),
    crashed: () => createSvg('path', { d: `M${middle} 11l5.2 10h-10.4z`, class: 'crash' }),
    running: () => createSvg('circle', { cx: middle, cy: 16, r: 4, class: 'ring' }),
  };
  return shapes[outcomeOf(run)]();
}

/** Durations differ by orders of magnitude, so the scale is logarithmic: 10 ms to 3 s and more. */
function barHeight(durationMs: number): number {
  const share = (Math.log10(Math.max(durationMs, 10)) - 1) / 2.5;
  return 9 + Math.min(1, share) * 19;
}

function outcomeOf({ outcome }: RunRecord): RunOutcome {
  return outcome !== null && isOutcome(outcome) ? outcome : 'running';
}

function describeRun(run: RunRecord, clock: Clock): string {
  const { durationMs, changes, reason } = run;
  return [
    outcomeWords[outcomeOf(run)],
    clock.name(run.startedAt),
    ...(durationMs === null ? [] : [formatDuration(durationMs)]),
    ...(changes === null || changes === 0 ? [] : [countOf(changes, 'change')]),
    ...(reason === null || outcomeOf(run) === 'refreshed' ? [] : [reason]),
  ].join(' · ');
}

function summarize(runs: readonly RunRecord[], now: Date): string {
  const [oldest] = runs;
  if (oldest === undefined) return 'No run on record yet';
  const durations = runs
    .filter((run) => outcomeOf(run) === 'refreshed')
    .map(({ durationMs }) => durationMs ?? 0)
    .sort((one, other) => one - other);
  const median = durations[Math.floor((durations.length - 1) / 2)];
  return [
    `${countOf(runs.length, 'run')} in ${formatSpan(now.getTime() - Date.parse(oldest.startedAt))}`,
    ...(median === undefined
      ? []
      : [`median ${formatDuration(median)}, longest ${formatDuration(durations.at(-1) ?? 0)}`]),
  ].join(' · ');
}
