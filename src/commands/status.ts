import { Command, Option } from 'commander';
import type { Context } from '../context.js';
import { jobs } from '../jobs/job.js';
import { printable } from '../printable.js';
import { preflight } from '../statistics/preflight.js';
import { readFreshness, type Freshness } from '../status/freshness.js';
import type { DaemonState, Status } from '../status/model.js';
import { readStatistics } from '../status/read-statistics.js';
import { toStatus } from '../status/status.js';
import { readVersion } from '../version.js';
import { createPaint, type Paint } from '../terminal/paint.js';
import { renderTable } from '../terminal/table.js';
import { watch } from '../terminal/watch.js';
import { queryDaemon } from './query-daemon.js';
import { printJson, withContext, type Invocation } from './invocation.js';

/** Creates `registry-stats status`: the state of each job, from the database and the daemon. */
export function statusCommand(invocation: Invocation): Command {
  return new Command('status')
    .description('show which figures are fresh, since when, and why not')
    .addOption(new Option('--watch', 'repeat every few seconds, until Ctrl-C').conflicts('json'))
    .option('--json', 'for programs')
    .action((options: { json?: boolean; watch?: boolean }) =>
      withContext(invocation, async (context) => {
        await preflight(context.database);
        const paint = createPaint(invocation.stdout);
        const show = async (): Promise<string> => describe(await readStatus(context), paint);
        if (options.watch === true) await watch(show, invocation);
        else if (options.json === true) printJson(invocation, await readStatus(context));
        else invocation.stdout.write(await show());
      }),
    );
}

interface StatusReport extends Pick<Status, 'isMaintenance' | 'jobs' | 'statistics' | 'verdict'> {
  readonly database: string;
  readonly views: readonly Freshness[];
  /** null when no daemon responds on the status port. */
  readonly daemon: Pick<DaemonState, 'pid' | 'startedAt' | 'isDatabaseDown' | 'nextRun'> | null;
}

async function readStatus(context: Context): Promise<StatusReport> {
  const { config, database } = context;
  const { host, port, name } = database.options.connection;
  const daemon = await queryDaemon(config.status, '/api/status').then(
    ({ body }) => (isDaemonState(body) ? body : null),
    () => null,
  );
  const { isMaintenance, jobs, statistics, verdict } = toStatus(
    daemon ?? (await describeNoDaemon(context)),
    await readStatistics(database),
  );
  return {
    database: `${name} on ${host}:${port}`,
    verdict,
    isMaintenance,
    jobs,
    statistics,
    views: await readFreshness(database),
    daemon: daemon && {
      pid: daemon.pid,
      startedAt: daemon.startedAt,
      isDatabaseDown: daemon.isDatabaseDown,
      nextRun: daemon.nextRun,
    },
  };
}

async function describeNoDaemon({ config, database }: Context): Promise<DaemonState> {
  const { name, host } = database.options.connection;
  return {
    ...noDaemon,
    isMaintenance: config.isMaintenance,
    installation: {
      programVersion: await readVersion(),
      environment: config.aptEnv,
      databaseName: name,
      databaseHost: host,
    },
  };
}

/** The daemon state when no daemon responds: the database has the only record. */
const noDaemon = {
  version: 1,
  pid: 0,
  startedAt: '',
  maintenanceSince: null,
  isDatabaseDown: false,
  databaseDownSince: null,
  databaseProblem: null,
  nextRun: null,
  nextVerification: null,
  jobs: jobs.map(({ name, title, subject }) => ({
    job: name,
    title,
    subject,
    isRunning: false,
    lastRun: null,
    lastSuccess: null,
    consecutiveFailures: 0,
    failingSince: null,
  })),
} as const;

/** Returns whether the response has our format: another program may use the port. */
function isDaemonState(body: object): body is DaemonState {
  return 'version' in body && body.version === 1 && 'jobs' in body && Array.isArray(body.jobs);
}

function describe(report: StatusReport, paint: Paint): string {
  const { verdict, statistics } = report;
  const rows = report.jobs.map((job) => [
    job.job,
    { text: job.state, paint: paint.state },
    printable(job.reason),
    age(job.lastCheck),
    age(job.lastRefresh),
    age(job.dataAsOf),
  ]);
  const views = report.views.map(({ name, rows: count, asOf }) => [name, count, age(asOf)]);
  const sentence = printable(verdict.sentence);
  const pending = statistics.pendingChanges;
  const parts = [
    `database ${report.database}`,
    [
      verdict.level === 'good' ? sentence : paint.warn(sentence),
      ...verdict.details.map(printable),
    ].join('\n'),
    renderTable(['job', 'state', 'reason', 'checked', 'refreshed', 'data as of'], rows),
    ...(pending === null ? [] : [`pending changes: ${pending}`]),
    renderTable(['statistics', 'rows', 'figures as of'], views, [1]),
    describeDaemon(report.daemon),
  ];
  return `${parts.join('\n\n')}\n`;
}

function describeDaemon(daemon: StatusReport['daemon']): string {
  if (daemon === null) return 'no daemon responds on the status port';
  // Another program may use the port, so the text is untrusted.
  return printable(`daemon ${daemon.pid}, next run ${daemon.nextRun ?? 'unknown'}`);
}

function age(moment: string | null): string {
  if (moment === null) return 'never';
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(moment)) / 1000));
  return `${moment} (${inUnits(seconds)} ago)`;
}

function inUnits(seconds: number): string {
  const units = [
    ['days', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  const unit = units.find(([, length]) => seconds >= 2 * length);
  return unit === undefined ? `${seconds} s` : `${Math.floor(seconds / unit[1])} ${unit[0]}`;
}
