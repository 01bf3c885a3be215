import type { RunRecord } from '../../status/model.js';
import { create, setText } from './dom.js';
import { countOf, formatDuration } from './format.js';
import { createPlot, type PlotData } from './plot.js';

export const chartedRuns = 200;

const kinds = [
  { name: 'refreshed', color: '--good', outcomes: ['refreshed'] },
  { name: 'skipped', color: '--muted', outcomes: ['skipped'] },
  {
    name: 'failed, cancelled or crashed',
    color: '--bad',
    outcomes: ['failed', 'cancelled', 'crashed'],
  },
] as const;

/** Creates a chart of a job's last runs: duration on a logarithmic scale, and outcome. */
export function createDurationChart(job: string): {
  readonly element: HTMLElement;
  show(runs: readonly RunRecord[], isRecorded: boolean): void;
} {
  const plot = createPlot({
    kind: 'points',
    scale: 'logarithmic',
    height: 150,
    format: formatDuration,
    formatMoment: (moment) => `${new Date(moment * 1_000).toISOString().slice(0, 16)}Z`,
  });
  const caption = create('figcaption');
  const element = create('figure', {}, plot.element, caption);
  return {
    element,
    show: (runs, isRecorded) => {
      const finished = runs.filter(({ outcome }) => outcome !== null).toReversed();
      plot.element.hidden = finished.length === 0;
      const summary = isRecorded ? summarize(finished) : 'Runs are not recorded in this database.';
      setText(caption, summary);
      plot.show(dataOf(finished), `Durations of the last runs of ${job}. ${summary}`);
    },
  };
}

function dataOf(runs: readonly RunRecord[]): PlotData {
  const used = kinds.filter(({ outcomes }) => runs.some((run) => isOneOf(run, outcomes)));
  return {
    moments: runs.map(({ startedAt }) => Date.parse(startedAt) / 1_000),
    series: used.map(({ name, color, outcomes }) => ({
      name,
      color,
      isMarked: color === '--bad',
      // A logarithmic scale has no zero.
      values: runs.map((run) => (isOneOf(run, outcomes) ? Math.max(1, run.durationMs ?? 1) : null)),
    })),
  };
}

function isOneOf({ outcome }: RunRecord, outcomes: readonly string[]): boolean {
  return outcome !== null && outcomes.includes(outcome);
}

function summarize(runs: readonly RunRecord[]): string {
  if (runs.length === 0) return 'No run on record yet.';
  const durations = runs.map(({ durationMs }) => durationMs ?? 0).sort((one, other) => one - other);
  const median = durations[Math.floor((durations.length - 1) / 2)] ?? 0;
  const bad = runs.filter((run) => isOneOf(run, kinds[2].outcomes)).length;
  const failures = bad === 0 ? 'none failed' : `${bad} failed, cancelled or crashed`;
  if (runs.length === 1) return `1 run on record: ${formatDuration(median)}, ${failures}.`;
  return (
    `Last ${countOf(runs.length, 'run')}: half within ${formatDuration(median)}, ` +
    `longest ${formatDuration(durations.at(-1) ?? 0)}, ${failures}.`
  );
}
