import type { JobStatus, RunsPage, Status } from '../../status/model.js';
import { createMoment } from './clock.js';
import { create, setText, type Child } from './dom.js';
import { createDurationChart } from './duration-chart.js';
import { formatNumber } from './format.js';

interface JobCards {
  show(status: Status, now: Date): void;
  showRuns(job: string, response: RunsPage): void;
}

interface Card {
  show(state: JobStatus, status: Status, now: Date): void;
  showRuns(response: RunsPage): void;
}

/** Creates one card per job. Charts stay while texts change. */
export function createJobCards(container: HTMLElement): JobCards {
  const cards = new Map<string, Card>();
  return {
    show: (status, now) => {
      for (const state of status.jobs) {
        let card = cards.get(state.job);
        if (card === undefined) {
          card = createCard(container, state);
          cards.set(state.job, card);
        }
        card.show(state, status, now);
      }
    },
    showRuns: (job, response) => cards.get(job)?.showRuns(response),
  };
}

function createCard(container: HTMLElement, { job, subject }: JobStatus): Card {
  const badge = create('span', { class: 'badge' });
  const reason = create('p', { class: 'reason' });
  const times = create('dl');
  const chart = createDurationChart(job);
  const heading = create('h3', { id: `job-${job}` }, job);
  container.append(
    create(
      'article',
      { 'aria-labelledby': heading.id, 'data-job': job },
      heading,
      create('p', { class: 'subject' }, subject),
      create('p', {}, badge),
      reason,
      times,
      chart.element,
    ),
  );
  return {
    show: (state, status, now) => {
      const isAway = isDatabaseAway(status);
      badge.dataset['state'] = isAway ? 'last known' : state.state;
      setText(badge, describeState(state, isAway));
      setText(reason, describeReason(state));
      times.replaceChildren(...timesOf(state, status, now));
    },
    showRuns: ({ runs, isRecorded }) => {
      chart.show(runs, isRecorded);
    },
  };
}

/** Returns whether the page shows old data because the database is unreachable. */
function isDatabaseAway({ isDatabaseDown, statistics }: Status): boolean {
  return isDatabaseDown || statistics.mode === 'unknown';
}

function describeState(
  { state, consecutiveFailures: failures }: JobStatus,
  isAway: boolean,
): string {
  const words = state === 'failing' && failures > 1 ? `failing, ${failures} times in a row` : state;
  return isAway ? `last known: ${words}` : words;
}

function describeReason({ outcome, reason }: JobStatus): string {
  if (outcome === null) return '';
  if (reason === '') return `Last run: ${outcome}.`;
  if (outcome === 'skipped') return `Nothing to run: ${reason}.`;
  return `Last run: ${outcome}, ${reason}.`;
}

function timesOf(state: JobStatus, { nextRun }: Status, now: Date): HTMLElement[] {
  const entries: [string, Child][] = [
    ['Checked', createMoment(state.lastCheck, now, 'never')],
    ['Refreshed', createMoment(state.lastRefresh, now, 'not on record')],
    ['Data as of', createMoment(state.dataAsOf, now, 'not known')],
    ['Next run', createMoment(nextRun, now, 'not known')],
    ['Pending changes', pendingOf(state)],
  ];
  return entries.map(([term, value]) =>
    create('div', {}, create('dt', {}, term), create('dd', {}, value)),
  );
}

function pendingOf({ pendingChanges }: JobStatus): string {
  return pendingChanges === null ? 'not counted' : formatNumber(pendingChanges);
}
