import { Command } from 'commander';
import { createContext, type Context } from '../context.js';
import type { CronJobs } from '../daemon/cron.js';
import { preflight } from '../statistics/preflight.js';
import { isConnectionLost } from '../db/sqlstate.js';
import { startStatusServer } from '../http/server.js';
import { createStatusBoard } from '../daemon/status-board.js';
import { logEvents } from '../daemon/log-events.js';
import { createMetrics } from '../metrics/metrics.js';
import { startNotifier } from '../notify/notifier.js';
import { migrate } from '../schema/migrate.js';
import { readSqlFiles } from '../schema/sql-files.js';
import { isIncremental } from '../statistics/installation.js';
import { createStatusReader } from '../status/status-reader.js';
import { readVersion } from '../version.js';
import { progressTo, type Invocation } from './invocation.js';
import { progressLineTo } from '../terminal/progress.js';
import { migrateOptions } from './migrate.js';
import { printIntroduction } from './introduction.js';

/** Creates `registry-stats start`: the daemon. It exits with code 0 after SIGTERM or SIGINT. */
export function startCommand(invocation: Invocation): Command {
  return new Command('start')
    .description('run the daemon: the jobs now and on REFRESH_SCHEDULE, until SIGTERM')
    .action(() => runDaemon(invocation));
}

async function runDaemon(invocation: Invocation): Promise<void> {
  const creating = createContext({
    env: invocation.env,
    cwd: invocation.cwd,
    output: invocation.stdout,
    signal: invocation.signals.stop,
    onProgress: progressTo(invocation),
    mayCreateDatabase: true,
    program: invocation.program,
  });
  const context = await unlessStopped(invocation, creating);
  if (context === undefined) return;
  try {
    context.events.observe(logEvents(context.log));
    const cronJobs = await unlessStopped(invocation, startUp(context, invocation));
    if (cronJobs !== undefined) await stopRequested(context.signal);
    context.events.emit({ type: 'daemon-stopping', signal: String(context.signal.reason) });
    await cronJobs?.stop(context.config.timeouts.shutdownMs);
  } finally {
    await context.release();
  }
  context.events.emit({ type: 'daemon-stopped' });
}

/** Returns undefined if a stop request interrupted `work`: that is no failure. */
async function unlessStopped<Result>(
  { signals }: Invocation,
  starting: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await starting;
  } catch (error) {
    if (signals.stop.aborted) return undefined;
    throw error;
  }
}

async function startUp(context: Context, invocation: Invocation): Promise<CronJobs> {
  const { server, config } = context;
  if (server.isEmbedded && !config.isMaintenance) await prepareEmbedded(context, invocation);
  await checkDatabase(context);
  return startServing(context, invocation);
}

/** Migrates a developer's embedded database, and loads sample data if it is empty. */
async function prepareEmbedded(context: Context, invocation: Invocation): Promise<void> {
  const { defaultFiles, loadSampleData } = await import('../dev/sample-data.js');
  const files = await readSqlFiles();
  await migrate(context.database, migrateOptions(context, files, invocation));
  await loadSampleData(context, defaultFiles, {
    onProgress: progressTo(invocation),
    onRows: progressLineTo(invocation),
  });
}

/** Throws what a person must fix. The daemon waits for a server that does not respond yet. */
async function checkDatabase(context: Context): Promise<void> {
  try {
    await preflight(context.database);
    if (!(await isIncremental(context.database))) context.events.emit({ type: 'legacy-state' });
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
  }
}

async function startServing(context: Context, invocation: Invocation): Promise<CronJobs> {
  const programVersion = await readVersion();
  const board = createStatusBoard(context, { pid: invocation.pid, programVersion });
  const status = createStatusReader(context, board.current);
  const metrics = await createMetrics(context, status);
  const server = await startStatusServer(context.config.status, { context, status, metrics });
  context.releasers.add(server.close);
  context.releasers.add(startNotifier(context));
  // No run after a stop request.
  context.signal.throwIfAborted();
  const cronJobs = context.initialise();
  board.watch(cronJobs);
  context.events.emit({
    type: 'daemon-started',
    pid: invocation.pid,
    statusUrl: server.url,
    nextRun: cronJobs.nextRun(),
  });
  invocation.signals.bind({
    refresh: () => void cronJobs.request('signal'),
    reload: () => void reload(context, cronJobs),
  });
  void cronJobs.firstRun.then(() => printIntroduction(context, invocation, server.url));
  return cronJobs;
}

async function reload(context: Context, cronJobs: CronJobs): Promise<void> {
  try {
    await cronJobs.reload();
  } catch (error) {
    if (context.signal.aborted) return;
    context.events.emit({ type: 'settings-refused', error });
  }
}

function stopRequested(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
