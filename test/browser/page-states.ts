import type { Blocker, Status } from '../../src/status/model.js';
import { toStatus } from '../../src/status/status.js';

/** The states of the page, and the sentence each begins with. */
export const stateSentences = {
  fresh: 'All statistics are exact as of',
  failing: 'Failing: counts.',
  blocked: 'A run has waited for a lock since',
  away: 'The database has been unreachable or read-only since',
  maintenance: 'MAINTENANCE_MODE is true',
  drift: 'Drift: 3 figures differ from the tables.',
  first: 'The first run is not finished.',
} as const;

export type PageState = keyof typeof stateSentences;

/** Returns the status of a running daemon as it would be in another state. */
export function statusIn(state: PageState, status: Status): Status {
  const since = new Date(Date.parse(status.answeredAt) - 240_000).toISOString();
  const [counts, ...others] = status.jobs;
  const { statistics } = status;
  if (counts === undefined) throw new Error('no job');
  const changed = {
    fresh: {},
    failing: { jobs: [{ ...counts, ...failureSince(since) }, ...others] },
    blocked: { jobs: [{ ...counts, isRunning: true }, ...others] },
    away: { isDatabaseDown: true, databaseDownSince: since, databaseProblem: 'ECONNREFUSED' },
    maintenance: { isMaintenance: true, maintenanceSince: since },
    drift: {},
    first: { jobs: [{ ...counts, lastRun: null, lastSuccess: null, isRunning: true }, ...others] },
  }[state];
  const records = statistics.jobs.filter(({ job }) => job !== 'update_counts');
  const isOwn = state === 'failing' || state === 'first';
  return toStatus(
    { ...status, ...changed },
    {
      ...statistics,
      jobs: isOwn ? records : statistics.jobs,
      blocker: state === 'blocked' ? { ...blocker, since, waitingSince: since } : null,
      lastVerification: { finishedAt: since, differences: state === 'drift' ? 3 : 0 },
    },
  );
}

function failureSince(startedAt: string) {
  const reason = 'permission denied for view work_item_counts (42501)';
  const lastRun = { trigger: 'schedule', outcome: 'failed', reason, skipReason: null };
  return {
    lastRun: { ...lastRun, startedAt, durationMs: 12 },
    consecutiveFailures: 7,
    failingSince: startedAt,
  };
}

const blocker: Omit<Blocker, 'since' | 'waitingSince'> = {
  pid: 48_213,
  user: 'kcampbell',
  application: 'psql',
  address: '10.0.3.17',
  state: 'idle in transaction',
  query: 'lock table generic_file_counts in exclusive mode',
  lockOn: 'public.generic_file_counts',
};
