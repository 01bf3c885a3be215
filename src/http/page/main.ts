import type { RunsPage, Status } from '../../status/model.js';
import { ask, Refusal } from './ask.js';
import { createClock, keepAges } from './clock.js';
import { byId, setText } from './dom.js';
import { chartedRuns } from './duration-chart.js';
import { createFigures } from './figures.js';
import { createJobCards } from './job-cards.js';
import { createRunTable } from './run-table.js';
import { createBanner } from './verdict-banner.js';

const pollMs = 3_000;

const clock = createClock();
const banner = createBanner(clock);
const cards = createJobCards(byId('job-cards'));
const runTable = createRunTable(clock);
const figures = createFigures(byId('figure-body'));

let answeredAt: Date | undefined;
let timer: number | undefined;
/** What was shown last of the jobs; where it stays the same, no runs and figures are asked for. */
let shownJobs = '';

/** Asks for the status; for runs and figures only when a job did something. */
async function update(): Promise<void> {
  let status: Status;
  try {
    status = await ask<Status>('api/status');
  } catch (error) {
    if (error instanceof Refusal) setText(byId('connection'), error.message);
    banner.showSilence(answeredAt);
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
  answeredAt = clock.now();
  banner.show(status.verdict);
  cards.show(status, answeredAt);
  const { pid, startedAt, statistics } = status;
  setText(
    byId('connection'),
    `Daemon ${pid}, started ${startedAt.slice(0, 16).replace('T', ' ')} UTC; ` +
      `database ${statistics.mode === 'plain' ? 'in the legacy state' : statistics.mode}.`,
  );
}

/** Without what writers change all the time. */
function recordsOf({ statistics }: Status): unknown {
  return [statistics.mode, statistics.jobs.map((job) => ({ ...job, pendingChanges: 0 }))];
}

async function showRuns({ job }: { readonly job: string }): Promise<void> {
  try {
    const query = new URLSearchParams({ job, limit: String(chartedRuns) });
    cards.showRuns(job, await ask<RunsPage>(`api/runs?${query.toString()}`));
  } catch {
    // Whatever is the matter, the banner says it at the next poll; the chart stays as it was.
    shownJobs = '';
  }
}

/** One poll after the other; none while nobody looks. */
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
