import { Command, Option } from 'commander';
import type { Context } from '../context.js';
import { readFreshness, type Freshness } from '../status/freshness.js';
import { preflight } from '../statistics/preflight.js';
import { isSkipReason, skipReasons } from '../jobs/outcome.js';
import { legacyHint, readOverview, type Overview } from '../status/overview.js';
import { printable } from '../printable.js';
import type { DaemonStatus } from '../daemon/status-board.js';
import { askDaemon } from './ask-daemon.js';
import { printJson, withContext, type Invocation } from './invocation.js';
import { createPaint, type Paint } from '../terminal/paint.js';
import { renderTable, type PaintedCell } from '../terminal/table.js';
import { watch } from '../terminal/watch.js';

/** `registry-stats status`: what is fresh, since when, and what the running daemon says. */
export function statusCommand(invocation: Invocation): Command {
  return new Command('status')
    .description('what is fresh, since when, and why not')
    .addOption(new Option('--watch', 'again every few seconds, until Ctrl-C').conflicts('json'))
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

interface Status {
  readonly database: string;
  readonly isMaintenance: boolean;
  readonly views: readonly Freshness[];
  /** null in the state of migration 001, where every refresh scans the tables in full. */
  readonly incremental: Overview | null;
  /** null when no daemon answers on the status port. */
  readonly daemon: DaemonStatus | null;
}

async function readStatus({ config, database }: Context): Promise<Status> {
  const { host, port, name } = database.options.connection;
  const incremental = (await readOverview(database)) ?? null;
  return {
    database: `${name} on ${host}:${port}`,
    isMaintenance: config.isMaintenance,
    views: await readFreshness(database),
    incremental,
    daemon: await askDaemon(config.status, '/api/status').then(
      ({ body }) => (isDaemonStatus(body) ? body : null),
      () => null,
    ),
  };
}

/** Another program's answer on that port has not both. */
function isDaemonStatus(body: object): body is DaemonStatus {
  return 'version' in body && body.version === 1 && 'jobs' in body && Array.isArray(body.jobs);
}

function describe(status: Status, paint: Paint): string {
  const views = status.views.map(({ name, rows, asOf }) => [name, rows, age(asOf)]);
  const parts = [
    `database ${status.database}`,
    renderTable(['statistics', 'rows', 'figures as of'], views, [1]),
    ...(status.incremental === null ? [legacyHint] : describeOverview(status.incremental, paint)),
    ...(status.isMaintenance ? ['MAINTENANCE_MODE is true: nothing is refreshed'] : []),
    status.daemon === null
      ? 'no daemon answers on the status port'
      : describeDaemon(status.daemon, paint),
  ];
  return `${parts.join('\n\n')}\n`;
}

function describeOverview({ pendingChanges, inexact, jobs }: Overview, paint: Paint): string[] {
  const rows = jobs.map((job) => [
    job.name,
    outcomeCell(job.outcome ?? 'not run yet', paint),
    inWords(job.reason),
    age(job.lastCheck ?? undefined),
    age(job.lastRefresh ?? undefined),
    age(job.dataAsOf ?? undefined),
  ]);
  const head = ['job', 'outcome', 'reason', 'last check', 'last refresh', 'data as of'];
  return [
    renderTable(head, rows),
    `pending changes: ${pendingChanges}`,
    ...inexact.map(
      ({ name, reason }) => `${name} is ${paint.warn('not exact')}: ${printable(reason)}`,
    ),
  ];
}

function describeDaemon(daemon: DaemonStatus, paint: Paint): string {
  const rows = daemon.jobs.map(({ job, isRunning, lastRun, lastSuccess }) => [
    job,
    outcomeCell(isRunning ? 'running' : (lastRun?.outcome ?? 'not run yet'), paint),
    lastRun?.reason ?? '',
    lastSuccess === null ? 'never' : age(new Date(lastSuccess)),
  ]);
  // Whoever listens on that port has answered.
  const head = printable(`daemon ${daemon.pid}, next run ${daemon.nextRun ?? 'unknown'}`);
  const down = daemon.isDatabaseDown ? '\nthe database does not answer, or takes no writes' : '';
  return `${head}${down}\n${renderTable(['job', 'last run', 'reason', 'last good'], rows)}`;
}

function outcomeCell(text: string, paint: Paint): PaintedCell {
  return { text, paint: paint.outcome };
}

/** The database records a skip by its name. */
function inWords(reason: string | null): string {
  if (reason === null) return '';
  return isSkipReason(reason) ? skipReasons[reason] : reason;
}

function age(moment: Date | undefined): string {
  if (moment === undefined) return 'never';
  const seconds = Math.max(0, Math.floor((Date.now() - moment.getTime()) / 1000));
  return `${moment.toISOString()} (${inUnits(seconds)} ago)`;
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
