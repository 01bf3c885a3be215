import { formatAge, formatNumber } from '../http/page/format.js';
import { titleOf } from '../jobs/job.js';
import { describeEnd } from '../jobs/outcome.js';
import { printable } from '../printable.js';
import type { Freshness } from '../status/freshness.js';
import type { DaemonState, JobStatus, Status } from '../status/model.js';
import type { Paint } from './paint.js';
import { renderTable } from './table.js';
import { wrap } from './width.js';

/** Who responds on the status port. `silent` accepts the connection, and then sends nothing. */
export type Responder = 'daemon' | 'other program' | 'silent' | 'nobody';

/** What `registry-stats status` shows. */
export interface StatusReport extends Pick<
  Status,
  'isMaintenance' | 'jobs' | 'statistics' | 'verdict'
> {
  readonly database: { readonly name: string; readonly host: string; readonly port: number };
  readonly statusPort: {
    readonly host: string;
    readonly port: number;
    readonly responder: Responder;
  };
  readonly views: readonly Freshness[];
  /** null when no daemon responds on the status port. */
  readonly daemon: Pick<DaemonState, 'pid' | 'startedAt' | 'isDatabaseDown' | 'nextRun'> | null;
}

interface Style {
  readonly paint: Paint;
  /** In characters. Infinity for other streams than a terminal. */
  readonly width: number;
  /** Whether times are absolute, in UTC, instead of "2 min ago". */
  readonly isUtc: boolean;
}

/** Returns the verdict, one table with a line for each job, and what else is known. */
export function renderStatus(report: StatusReport, style: Style): string {
  const { verdict, statistics, database } = report;
  const { paint, width } = style;
  const wrapped = (text: string): string => wrap(printable(text), width);
  const sentence = wrapped(verdict.sentence);
  const { pendingChanges: pending } = statistics;
  const facts = [
    ...(pending === null ? [] : [`Pending changes  ${formatNumber(pending)}`]),
    `Daemon           ${describeDaemon(report, style)}`,
    `Database         ${database.name} on ${database.host}:${database.port}`,
  ];
  const parts = [
    [verdict.level === 'good' ? sentence : paint.warn(sentence), ...verdict.details.map(wrapped)],
    [renderJobs(report.jobs, style)],
    facts.map(wrapped),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function renderJobs(jobs: readonly JobStatus[], { paint, width, isUtc }: Style): string {
  const now = new Date();
  const unit = isUtc ? ' (UTC)' : '';
  const head = ['figures', 'state', `data as of${unit}`, `refreshed${unit}`, 'last run'];
  const rows = jobs.map((job) => [
    titleOf(job.job),
    { text: job.state, paint: paint.state },
    describeTime(job.dataAsOf, now, isUtc) ?? 'unknown',
    describeTime(job.lastRefresh, now, isUtc) ?? 'never',
    describeEnd(job),
  ]);
  return renderTable(head, rows, { width });
}

function describeDaemon({ daemon, statusPort }: StatusReport, { isUtc }: Style): string {
  const { host, port, responder } = statusPort;
  const address = `${host}:${port}`;
  if (daemon !== null) {
    const next = describeTime(daemon.nextRun, new Date(), isUtc) ?? 'unknown';
    return `process ${daemon.pid} on ${address}, next run ${next}${isUtc ? ' UTC' : ''}`;
  }
  if (port === 0) return 'unknown: with STATUS_PORT=0 it has any port';
  if (responder === 'other program') return `another program responds on ${address}`;
  return responder === 'silent' ? `no response on ${address}` : `nobody responds on ${address}`;
}

function describeTime(iso: string | null, now: Date, isUtc: boolean): string | undefined {
  if (iso === null) return undefined;
  return isUtc ? iso.slice(0, 16).replace('T', ' ') : formatAge(iso, now);
}
