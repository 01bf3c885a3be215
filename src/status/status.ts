import { combineJob } from './job-status.js';
import type { DaemonState, StatisticsState, Status } from './model.js';
import { judge } from './verdict.js';

/** Puts together what a daemon knows of itself and what the database says, and judges it. */
export function toStatus(daemon: DaemonState, statistics: StatisticsState): Status {
  const jobs = daemon.jobs.map((own) =>
    combineJob(
      own,
      statistics.jobs.find(({ job }) => job === own.job),
    ),
  );
  const known = { ...daemon, jobs, answeredAt: new Date().toISOString(), statistics };
  return { ...known, verdict: judge(known) };
}
