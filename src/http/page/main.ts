import type { RunsPage, Status } from '../../status/model.js';
import { ask, Refusal } from './ask.js';
import { createClock, keepAges } from './clock.js';
import { byId, setText } from './dom.js';
import { chartedRuns } from './duration-chart.js';
import { createFigures } from './figures.js';
import { createJobCards } from './job-cards.js';
import { RunTable } from './run-table.js';
import { createBanner } from './verdict-banner.js';

const pollMs = 3_000;

const clock = createClock();
const banner = createBanner(clock);
const cards = createJobCards(byId('job-cards'));
const runTable = new RunTable(clock);
const figures = createFigures(byId('figure-body'));

let respondedAt: Date | undefined;
let timer: number | undefined;
/** The jobs shown last. While they are the same, runs and figures are not requested. */
let shownJobs = '';

/** Requests the status, and runs and figures only if a job changed. */
async function update(): Promise<void> {
  let status: Status;
  try {
    status = await ask<Status>('api/status');
  } catch (error) {
    if (error instanceof Refusal) setText(byId('connection'), error.message);
    banner.showSilence(respondedAt);
    shownJobs = '';
    return;
  }
  show(status);
  const jobs = JSON.stringify([status.isDatabaseDown, status.jobs, recordsOf(status)]);
  if (jobs === shownJobs) return;
  shownJobs = jobs;
  await Promise.all([runTable.refresh(), figures.refresh(), ...status.jobs.map(showRuns)]);
}

function show(status: Status): void {
  clock.set(status.answeredAt);
  respondedAt = clock.now();
  banner.show(status.verdict);
  cards.show(status, respondedAt);
  const { pid, startedAt, statistics } = status;
  setText(
    byId('connection'),
    `Daemon ${pid}, started ${startedAt.slice(0, 16).replace('T', ' ')} UTC; ` +
      `database ${statistics.mode === 'plain' ? 'in the legacy state' : statistics.mode}.`,
  );
}

/** Returns the recorded state, without pending changes, which writers change all the time. */
function recordsOf({ statistics }: Status): unknown {
  return [statistics.mode, statistics.jobs.map((job) => ({ ...job, pendingChanges: 0 }))];
}

async function showRuns({ job }: { readonly job: string }): Promise<void> {
  try {
    const query = new URLSearchParams({ job, limit: String(chartedRuns) });
    cards.showRuns(job, await ask<RunsPage>(`api/runs?${query.toString()}`));
  } catch {
    // The banner shows the reason after the next poll. The chart stays as it was.
    shownJobs = '';
  }
}

/** Polls one request at a time, and only while the page is visible. */
async function poll(): Promise<void> {
  clearTimeout(timer);
  if (document.hidden) return;
  await update();
  clearTimeout(timer);
  timer = setTimeout(() => void poll(), pollMs);
}

document.addEventListener('visibilitychange', () => void poll());
keepAges(clock);
void poll();
