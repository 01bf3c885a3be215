import { Command, Option } from 'commander';
import type { Context } from '../context.js';
import { jobs } from '../jobs/job.js';
import { preflight } from '../statistics/preflight.js';
import type { DaemonState } from '../status/model.js';
import { readFreshness } from '../status/freshness.js';
import { readStatistics } from '../status/read-statistics.js';
import { toStatus } from '../status/status.js';
import { createPaint } from '../terminal/paint.js';
import { renderStatus, type StatusReport } from '../terminal/status-screen.js';
import { readVersion } from '../version.js';
import { watch } from '../terminal/watch.js';
import { widthOf } from '../terminal/width.js';
import { printJson, withContext, type Invocation } from './invocation.js';
import { assertMaxAge, maxAgeOption, type MaxAge } from './max-age.js';
import { isStatus, queryDaemon } from './query-daemon.js';

interface Options {
  watch?: boolean;
  utc?: boolean;
  maxAge?: MaxAge;
  json?: boolean;
}

/** Creates `registry-stats status`: the state of each job, from the database and the daemon. */
export function statusCommand(invocation: Invocation): Command {
  return new Command('status')
    .description('show which figures are fresh, since when, and why not')
    .addOption(
      new Option('--watch', 'repeat every few seconds, until Ctrl-C').conflicts(['json', 'maxAge']),
    )
    .option('--utc', 'absolute times in UTC, instead of "2 min ago"')
    .addOption(maxAgeOption())
    .option('--json', 'for programs')
    .action((options: Options) =>
      withContext(invocation, async (context) => {
        await preflight(context.database);
        if (options.watch === true) {
          const show = async () => render(await readStatus(context), invocation, options);
          await watch(show, invocation);
          return;
        }
        const report = await readStatus(context);
        if (options.json === true) printJson(invocation, toJson(report));
        else invocation.stdout.write(render(report, invocation, options));
        if (options.maxAge !== undefined) {
          assertMaxAge({ ...report, answeredAt: new Date().toISOString() }, options.maxAge);
        }
      }),
    );
}

function render(report: StatusReport, { stdout }: Invocation, { utc }: Options): string {
  return renderStatus(report, {
    paint: createPaint(stdout),
    width: stdout.isTTY ? widthOf(stdout) : Infinity,
    isUtc: utc === true,
  });
}

function toJson(report: StatusReport): Readonly<Record<string, unknown>> {
  const states = report.jobs.map((job) => ({
    ...job,
    reason: job.reason === '' ? null : job.reason,
  }));
  return { ...report, jobs: states };
}

async function readStatus(context: Context): Promise<StatusReport> {
  const { config, database } = context;
  const { host, port, name } = database.options.connection;
  const answer = await queryDaemon(config.status, '/api/status', isStatus);
  const daemon = answer.responder === 'daemon' ? answer.body : null;
  const { isMaintenance, jobs, statistics, verdict } = toStatus(
    daemon ?? (await describeNoDaemon(context)),
    await readStatistics(database),
  );
  return {
    database: { name, host, port },
    verdict,
    isMaintenance,
    jobs,
    statistics,
    views: await readFreshness(database),
    statusPort: { ...config.status, responder: answer.responder },
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
