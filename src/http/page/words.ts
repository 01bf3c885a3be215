import type { JobStatus, Status } from '../../status/model.js';
import { formatSpan } from './format.js';

/** How each outcome of a run is called. test/page-format.test.ts holds them to the program's own. */
export const outcomeWords = {
  refreshed: 'Refreshed',
  skipped: 'Nothing to do',
  failed: 'Failed',
  cancelled: 'Cancelled',
  crashed: 'Crashed',
  running: 'Running',
} as const;

export type RunOutcome = keyof typeof outcomeWords;

export function isOutcome(text: string): text is RunOutcome {
  return Object.hasOwn(outcomeWords, text);
}

/** The three colours of a state, and none for what is not known. */
export type Tone = 'good' | 'wait' | 'bad' | 'none';

export interface StateWords {
  readonly tone: Tone;
  readonly words: string;
}

/** Returns whether the page shows old data because the database is unreachable. */
export function isDatabaseAway({ isDatabaseDown, statistics }: Status): boolean {
  return isDatabaseDown || statistics.mode === 'unknown';
}

const states: Readonly<Record<JobStatus['state'], StateWords>> = {
  fresh: { tone: 'good', words: 'Current' },
  running: { tone: 'wait', words: 'Running' },
  failing: { tone: 'bad', words: 'Failing' },
  'held back': { tone: 'bad', words: 'Cannot run' },
  'not run yet': { tone: 'none', words: 'Not run yet' },
  stopped: { tone: 'wait', words: 'Cancelled' },
};

/** Returns the state of a job in words, and its colour. */
export function describeState(job: JobStatus, status: Status, now: Date): StateWords {
  const { tone, words } = states[job.state];
  if (isDatabaseAway(status)) return { tone: 'none', words: `Last known: ${words.toLowerCase()}` };
  if (status.isMaintenance) return { tone: 'wait', words: 'Paused' };
  const waitingSince = status.statistics.blocker?.waitingSince;
  if (job.isRunning && waitingSince != null) {
    const span = formatSpan(now.getTime() - Date.parse(waitingSince));
    return { tone: 'wait', words: `Blocked for ${span}` };
  }
  return { tone, words };
}
