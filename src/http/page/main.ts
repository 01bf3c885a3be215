import type { RunsPage, Status } from '../../status/model.js';
import { openAddress, press } from './address.js';
import { ask, Refusal } from './ask.js';
import { createClock, createMoment, keepAges } from './clock.js';
import { byId, setText } from './dom.js';
import { FigureSections } from './figures.js';
import { foldSections } from './fold.js';
import { JobRows } from './job-rows.js';
import { showProof } from './proof.js';
import { RunTable } from './run-table.js';
import { stripRuns } from './strip.js';
import { showInstallation, showNow } from './top.js';
import { Banner } from './verdict-banner.js';

const pollMs = 3_000;

const clock = createClock();
const address = openAddress();
const banner = new Banner(clock);
const jobRows = new JobRows(clock);
const runTable = new RunTable(clock, address);
const figures = new FigureSections(clock, address);

let respondedAt: Date | undefined;
let latest: Status | undefined;
let timer: number | undefined;
/** The jobs shown last. While they are the same, runs and figures are not requested. */
let shownJobs = '';

/** Requests the status, and runs and figures only if a job changed. */
async function update(): Promise<void> {
  try {
    latest = await ask<Status>('api/status');
  } catch (error) {
    if (error instanceof Refusal) setText(byId('process'), error.message);
    banner.showSilence(respondedAt);
    if (latest !== undefined) figures.showAge(latest, true);
    shownJobs = '';
    return;
  }
  clock.set(latest.answeredAt);
  respondedAt = clock.now();
  show(latest);
  const jobs = JSON.stringify([latest.isDatabaseDown, latest.jobs, recordsOf(latest)]);
  if (jobs === shownJobs) return;
  shownJobs = jobs;
  await readAll(latest);
}

/** Reads runs and figures. If one fails, the next poll tries again. */
async function readAll(status: Status): Promise<void> {
  try {
    await Promise.all([figures.refresh(), runTable.refresh(), ...status.jobs.map(showRuns)]);
  } catch {
    // The banner shows the reason after the next poll.
    shownJobs = '';
  }
}

function show(status: Status): void {
  showInstallation(status, createMoment(status.startedAt, clock));
  banner.show(status);
  jobRows.show(status);
  showProof(status, clock);
  runTable.setJobs(status);
  figures.showAge(status, false);
}

/** Returns the recorded state, without pending changes, which writers change all the time. */
function recordsOf({ statistics }: Status): unknown {
  return [statistics.mode, statistics.jobs.map((job) => ({ ...job, pendingChanges: 0 }))];
}

async function showRuns({ job }: { readonly job: string }): Promise<void> {
  const query = new URLSearchParams({ job, limit: String(stripRuns) });
  jobRows.showRuns(job, await ask<RunsPage>(`api/runs?${query.toString()}`));
}

/** Polls one request at a time, and only while the page is visible. */
async function poll(): Promise<void> {
  clearTimeout(timer);
  if (document.hidden) return;
  await update();
  clearTimeout(timer);
  timer = setTimeout(() => void poll(), pollMs);
}

function setZone(zone: 'local' | 'utc'): void {
  address.choose({ zone });
  clock.setZone(zone);
  const buttons = document.querySelectorAll<HTMLElement>('[data-zone]');
  press(buttons, ({ dataset }) => dataset['zone'] === zone);
  showNow(clock);
  if (latest === undefined) return;
  show(latest);
  runTable.draw();
}

for (const button of document.querySelectorAll<HTMLElement>('[data-zone]')) {
  button.addEventListener('click', () => {
    setZone(button.dataset['zone'] === 'utc' ? 'utc' : 'local');
  });
}
foldSections(['options', 'counts', 'runs'].map(byId));
document.addEventListener('visibilitychange', () => void poll());
setZone(address.chosen.zone);
keepAges(clock);
setInterval(() => {
  showNow(clock);
}, 1_000);
void poll();
