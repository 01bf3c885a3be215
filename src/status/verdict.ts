import { explain } from './explanation.js';
import { minuteOf } from './minute.js';
import type { JobStatus, Status, Verdict } from './model.js';

type Judged = Omit<Status, 'verdict'>;
type Judgement = Omit<Verdict, 'checkedAt' | 'facts' | 'steps'>;

/** Decides whether all is well. The first rule that applies decides, the worst first. */
export function judge(status: Judged): Verdict {
  const judgement =
    judgeDatabase(status) ??
    judgeFailures(status) ??
    judgeBlocked(status) ??
    judgeHeldBack(status) ??
    judgeDrift(status) ??
    judgeProblems(status) ??
    judgeUnfinished(status) ??
    judgeLegacy(status) ??
    judgeFresh(status);
  return {
    ...judgement,
    ...explain(judgement.kind, status),
    notReady: judgement.notReady ?? firstRunOf(status),
    checkedAt: earliest(status.jobs.map(({ lastCheck }) => lastCheck)),
  };
}

/** A daemon is ready once it has run each job itself, whatever others have on record. */
function firstRunOf({ jobs, nextRun }: Judged): string | null {
  if (nextRun === null) return 'starting';
  const unfinished = jobs.find(({ lastRun }) => lastRun === null);
  return unfinished === undefined ? null : `first run of ${unfinished.job} not finished`;
}

function judgeDatabase(status: Judged): Judgement | undefined {
  const { isDatabaseDown, databaseDownSince, statistics } = status;
  if (!isDatabaseDown && statistics.mode !== 'unknown') return undefined;
  const away = 'the database is unreachable or read-only';
  return {
    kind: 'database away',
    level: 'bad',
    notReady: isDatabaseDown ? away : (statistics.problem ?? away),
    sentence:
      databaseDownSince === null
        ? 'The database is unreachable or read-only.'
        : `The database has been unreachable or read-only since ${minuteOf(databaseDownSince)}.`,
    details: [
      ...(statistics.problem === null ? [] : [`Found: ${statistics.problem}.`]),
      'Missed runs start as soon as the database is back; the daemon needs no restart. ' +
        'Check the server, the network between, and DB_HOST and DB_PORT.',
    ],
  };
}

function judgeUnfinished({ jobs }: Judged): Judgement | undefined {
  const unfinished = jobs.filter(({ outcome }) => outcome === null);
  if (unfinished.length === 0) return undefined;
  return {
    kind: 'first run',
    level: 'wait',
    notReady: null,
    sentence: 'The first run is not finished.',
    details: [`Waiting for ${namesOf(unfinished)}.`],
  };
}

function judgeFailures(status: Judged): Judgement | undefined {
  const failing = status.jobs.filter(({ state }) => state === 'failing');
  const [first] = failing;
  if (first === undefined) return undefined;
  return {
    kind: 'failing',
    level: 'bad',
    notReady: `${first.job} failed: ${first.reason}`,
    sentence: describeFailing(failing),
    details: [
      ...failing.map(({ job, reason, consecutiveFailures: failures, dataAsOf }) => {
        const times = failures > 1 ? ` (${failures} times in a row)` : '';
        const since = dataAsOf === null ? '' : ` Its figures are as of ${minuteOf(dataAsOf)}.`;
        return `${job}${times}: ${reason}.${since}`;
      }),
      `The next try is ${nextRunOf(status)}. Fix the cause, then run \`registry-stats refresh\`.`,
    ],
  };
}

/** Says what a reader of the figures must know: which are old, and since when. */
function describeFailing(failing: readonly JobStatus[]): string {
  const titles = failing.map(({ title }) => title.toLowerCase()).join(', ');
  const since = earliest(failing.map(({ dataAsOf, lastRefresh }) => dataAsOf ?? lastRefresh));
  return since === null
    ? `Failing: ${titles}.`
    : `Not updated since ${minuteOf(since)}: ${titles}.`;
}

/** A run waits for a lock. It is tried again until it fails, so no person must act yet. */
function judgeBlocked({ statistics: { blocker } }: Judged): Judgement | undefined {
  if (blocker?.waitingSince == null) return undefined;
  const { pid, user, lockOn, waitingSince } = blocker;
  return {
    kind: 'blocked',
    level: 'wait',
    notReady: null,
    sentence: `A run has waited for a lock since ${minuteOf(waitingSince)}.`,
    details: [
      `Process ${pid} of ${user ?? 'another role'} holds ${lockOn === null ? 'it' : `a lock on ${lockOn}`}. ` +
        'The run continues as soon as the lock is free.',
    ],
  };
}

const remedies: Readonly<Record<string, string>> = {
  maintenance: 'When the maintenance is over, set it to false and send the daemon SIGHUP.',
  'database-down': 'It runs as soon as the database is back.',
};

function judgeHeldBack({ isMaintenance, jobs }: Judged): Judgement | undefined {
  if (isMaintenance) {
    return {
      kind: 'maintenance',
      level: 'wait',
      notReady: null,
      sentence: 'MAINTENANCE_MODE is true: nothing is refreshed.',
      details: [remedies['maintenance'] ?? ''],
    };
  }
  const held = jobs.filter(({ state }) => state === 'held back');
  const [first] = held;
  if (first === undefined) return undefined;
  return {
    kind: 'held back',
    level: 'bad',
    notReady: `${first.job} cannot run: ${first.reason}`,
    sentence: `${namesOf(held)} cannot run.`,
    details: held.map(({ job, reason, skipReason }) =>
      `${job}: ${reason}. ${remedies[skipReason ?? ''] ?? ''}`.trim(),
    ),
  };
}

/** Drift: a verification compared the figures with the tables and found differences. */
function judgeDrift({ statistics: { lastVerification } }: Judged): Judgement | undefined {
  const { differences, finishedAt } = lastVerification ?? { differences: 0, finishedAt: '' };
  if (differences === 0) return undefined;
  const figures = `${differences} ${differences === 1 ? 'figure differs' : 'figures differ'}`;
  return {
    kind: 'drift',
    level: 'bad',
    notReady: `drift: ${figures} from the tables`,
    sentence: `Drift: ${figures} from the tables.`,
    details: [
      `Found by the verification at ${minuteOf(finishedAt)}. ` +
        'Run `registry-stats verify --repair`.',
    ],
  };
}

function judgeLegacy({ statistics, jobs }: Judged): Judgement | undefined {
  if (statistics.mode !== 'plain') return undefined;
  return {
    kind: 'legacy state',
    level: 'good',
    notReady: null,
    sentence: describeLegacy(jobs),
    details: [
      'The database is in the legacy state: figures are refreshed once an hour at most, each time ' +
        'by a scan of the tables, and runs are not recorded. `registry-stats migrate` makes them exact.',
    ],
  };
}

/** Without records, a skip proves an age only where the figures were checked. */
function describeLegacy(jobs: readonly JobStatus[]): string {
  const unknown = jobs.filter(({ dataAsOf, lastRefresh }) => (dataAsOf ?? lastRefresh) === null);
  const busy = unknown.filter(({ skipReason }) => skipReason === 'busy');
  if (busy.length > 0) {
    return `${namesOf(busy)} ran elsewhere when last checked; how old its figures are is not known.`;
  }
  return unknown.length > 0
    ? 'All statistics were less than an hour old when they were last checked.'
    : `All statistics are as of ${momentOf(jobs)}.`;
}

function judgeProblems(status: Judged): Judgement | undefined {
  const { inexact } = status.statistics;
  if (inexact.length === 0) return undefined;
  const stuck = inexact.filter(({ isRepairable }) => !isRepairable);
  const [first] = stuck;
  const names = inexact.map(({ name }) => name).join(', ');
  return {
    kind: 'untrusted',
    level: first === undefined ? 'wait' : 'bad',
    notReady: first === undefined ? null : `${first.name}: ${first.reason}`,
    sentence: `${names} must be repaired.`,
    details: [
      ...inexact.map(({ name, reason }) => `${name}: ${reason}.`),
      ...(first === undefined
        ? [`The run ${nextRunOf(status)} does it; \`registry-stats refresh\` does it now.`]
        : []),
    ],
  };
}

function judgeFresh(status: Judged): Judgement {
  const pending = status.statistics.pendingChanges ?? 0;
  const changes = `${pending.toLocaleString('en-US')} change${pending === 1 ? '' : 's'}`;
  return {
    kind: 'fresh',
    level: 'good',
    notReady: null,
    sentence: `All statistics are exact as of ${momentOf(status.jobs)}.`,
    details: [
      pending === 0
        ? `Nothing is pending. The next run is ${nextRunOf(status)}.`
        : `${changes} since then will be in the figures after the run ${nextRunOf(status)}.`,
    ],
  };
}

function momentOf(jobs: readonly JobStatus[]): string {
  const moment = earliest(jobs.map(({ dataAsOf, lastRefresh }) => dataAsOf ?? lastRefresh));
  return moment === null ? 'their last run' : minuteOf(moment);
}

function namesOf(jobs: readonly JobStatus[]): string {
  return jobs.map(({ job }) => job).join(', ');
}

function nextRunOf({ nextRun }: Judged): string {
  return nextRun === null ? 'by the schedule' : `at ${minuteOf(nextRun)}`;
}

/** ISO 8601 in UTC sorts as text. */
function earliest(moments: readonly (string | null)[]): string | null {
  return moments.filter((moment) => moment !== null).sort()[0] ?? null;
}
