import type { RunRecord } from '../../status/model.js';

/** One run, or several next to each other that did nothing. */
export interface RunGroup {
  readonly day: string;
  readonly runs: readonly RunRecord[];
}

/**
 * Sums up neighbours of one day that did nothing, so that they do not hide the others.
 * @param runs the newest first
 * @param dayOf the day of a run in the zone of the page
 */
export function groupRuns(
  runs: readonly RunRecord[],
  dayOf: (run: RunRecord) => string,
  isSummedUp: boolean,
): RunGroup[] {
  const groups: { day: string; runs: RunRecord[] }[] = [];
  for (const run of runs) {
    const day = dayOf(run);
    const last = groups.at(-1);
    const isSame =
      isSummedUp &&
      run.outcome === 'skipped' &&
      last?.day === day &&
      last.runs[0]?.outcome === 'skipped';
    if (isSame) last.runs.push(run);
    else groups.push({ day, runs: [run] });
  }
  return groups;
}
