import type { StatusAnswer } from '../answers.js';
import { countOf, formatTime } from './format.js';
import { isDatabaseAway, jobStates, type JobState } from './job-state.js';

/** What is fresh, or what is wrong and what to do, in words. */
export interface Verdict {
  readonly level: 'good' | 'wait' | 'bad';
  readonly sentence: string;
  /** What more there is to know or to do, a sentence each. */
  readonly details: readonly string[];
  /** The last check of the job that was checked longest ago. */
  readonly checkedAt: string | null;
}

/** The first that applies, the worst first. */
export function judge(status: StatusAnswer, now: Date): Verdict {
  const states = jobStates(status);
  const checkedAt = earliest(states.map(({ lastCheck }) => lastCheck));
  const verdict =
    judgeDatabase(status) ??
    judgeFailures(states, status, now) ??
    judgeHeldBack(states, status) ??
    judgeUnfinished(states) ??
    judgeFresh(states, status, now);
  return { ...verdict, checkedAt };
}

type Judgement = Omit<Verdict, 'checkedAt'>;

function judgeDatabase(status: StatusAnswer): Judgement | undefined {
  if (!isDatabaseAway(status)) return undefined;
  const { statistics } = status;
  return {
    level: 'bad',
    sentence: 'The database does not answer, or takes no writes.',
    details: [
      ...(statistics.problem === null ? [] : [`Found: ${statistics.problem}.`]),
      'Missed runs start as soon as the database is back; the daemon needs no restart. ' +
        'Check the server, the network between, and DB_HOST and DB_PORT.',
    ],
  };
}

function judgeFailures(
  states: readonly JobState[],
  status: StatusAnswer,
  now: Date,
): Judgement | undefined {
  const failing = states.filter(({ state }) => state === 'failing');
  if (failing.length === 0) return undefined;
  const names = failing.map(({ job }) => job).join(', ');
  return {
    level: 'bad',
    sentence: `${names} ${failing.length === 1 ? 'fails' : 'fail'}.`,
    details: [
      ...failing.map(({ job, reason, failures, dataAsOf }) => {
        const times = failures > 1 ? ` (${failures} times in a row)` : '';
        const since =
          dataAsOf === null ? '' : ` Its figures are still as of ${formatTime(dataAsOf, now)}.`;
        return `${job}${times}: ${reason}.${since}`;
      }),
      `It is tried again ${nextRunOf(status, now)}. Fix the cause, then send the daemon SIGUSR2 ` +
        `(kill -USR2 ${status.pid}) to try at once.`,
    ],
  };
}

const remedies: Readonly<Record<string, string>> = {
  inexact: 'A table or a view must be put right first: `registry-stats status` says what helps.',
  maintenance: 'Set MAINTENANCE_MODE to false and send SIGHUP when the maintenance is over.',
  'database-down': 'It runs as soon as the database is back.',
};

function judgeHeldBack(states: readonly JobState[], status: StatusAnswer): Judgement | undefined {
  if (status.isMaintenance) {
    return {
      level: 'wait',
      sentence: 'Maintenance: nothing is refreshed.',
      details: [remedies['maintenance'] ?? ''],
    };
  }
  const held = states.filter(({ state }) => state === 'held back');
  if (held.length === 0) return undefined;
  return {
    level: 'bad',
    sentence: `${held.map(({ job }) => job).join(', ')} cannot run.`,
    details: held.map(({ job, reason, skipReason }) => {
      return `${job}: ${reason}. ${remedies[skipReason ?? ''] ?? ''}`.trim();
    }),
  };
}

function judgeUnfinished(states: readonly JobState[]): Judgement | undefined {
  const missing = states.filter(({ outcome }) => outcome === null);
  if (missing.length === 0) return undefined;
  return {
    level: 'wait',
    sentence: 'The first run is not finished.',
    details: [`Waiting for ${missing.map(({ job }) => job).join(', ')}.`],
  };
}

function judgeFresh(states: readonly JobState[], status: StatusAnswer, now: Date): Judgement {
  const { statistics } = status;
  const moments = states.map(({ dataAsOf, lastRefresh }) => dataAsOf ?? lastRefresh);
  const asOf = earliest(moments);
  const moment = asOf === null ? 'their last run' : formatTime(asOf, now);
  if (statistics.mode === 'plain') {
    return {
      level: 'good',
      sentence: describePlain(states, moment),
      details: [
        'The database is in the state of migration 001: figures are refreshed once an hour at most, ' +
          'each time by a scan of the tables, and runs are not recorded. ' +
          '`registry-stats migrate` makes them exact.',
      ],
    };
  }
  if (statistics.inexact.length > 0) {
    return {
      level: 'wait',
      sentence: `${statistics.inexact.map(({ name }) => name).join(', ')} must be rebuilt.`,
      details: [
        ...statistics.inexact.map(({ name, reason }) => `${name}: ${reason}.`),
        `The run ${nextRunOf(status, now)} does it; kill -USR2 ${status.pid} does it now.`,
      ],
    };
  }
  const pending = statistics.pendingChanges ?? 0;
  const waiting = `${countOf(pending, 'change')} since then ${pending === 1 ? 'waits' : 'wait'}`;
  return {
    level: 'good',
    sentence: `All statistics are exact as of ${moment}.`,
    details: [
      pending === 0
        ? `Nothing is waiting. The next run is ${nextRunOf(status, now)}.`
        : `${waiting} for the run ${nextRunOf(status, now)}.`,
    ],
  };
}

/** Without records a skip proves an age only where the figures were looked at. */
function describePlain(states: readonly JobState[], moment: string): string {
  const unknown = states.filter(({ dataAsOf, lastRefresh }) => (dataAsOf ?? lastRefresh) === null);
  const busy = unknown.filter(({ skipReason }) => skipReason === 'busy').map(({ job }) => job);
  if (busy.length > 0) {
    return `${busy.join(', ')} ran elsewhere when last checked; how old its figures are is not known.`;
  }
  return unknown.length > 0
    ? 'All statistics were less than an hour old when they were last checked.'
    : `All statistics are as of ${moment}.`;
}

function nextRunOf({ nextRun }: StatusAnswer, now: Date): string {
  return nextRun === null ? 'by the schedule' : `at ${formatTime(nextRun, now)}`;
}

/** ISO 8601 in UTC sorts as text. */
function earliest(moments: readonly (string | null)[]): string | null {
  return moments.filter((moment) => moment !== null).sort()[0] ?? null;
}
