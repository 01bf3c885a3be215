import type { StatusAnswer } from '../answers.js';
import type { RunsAnswer } from '../../status/answers.js';
import { createMoment } from './clock.js';
import { create, setText, type Child } from './dom.js';
import { createDurationChart } from './duration-chart.js';
import { formatNumber } from './format.js';
import { describeState, isDatabaseAway, jobStates, type JobState } from './job-state.js';

export interface JobCards {
  show(status: StatusAnswer, now: Date): void;
  showRuns(job: string, answer: RunsAnswer): void;
}

interface Card {
  show(state: JobState, status: StatusAnswer, now: Date): void;
  showRuns(answer: RunsAnswer): void;
}

/** A card a job, made once; charts stay while the texts change. */
export function createJobCards(container: HTMLElement): JobCards {
  const cards = new Map<string, Card>();
  return {
    show: (status, now) => {
      for (const state of jobStates(status)) {
        let card = cards.get(state.job);
        if (card === undefined) {
          card = createCard(container, state);
          cards.set(state.job, card);
        }
        card.show(state, status, now);
      }
    },
    showRuns: (job, answer) => cards.get(job)?.showRuns(answer),
  };
}

function createCard(container: HTMLElement, { job, subject }: JobState): Card {
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

/** What a skip is named on record, in words; other reasons are words already. */
const skips: Readonly<Record<string, string>> = {
  unchanged: 'nothing changed since the last refresh',
  complete: 'no month is missing',
  busy: 'running elsewhere',
  inexact: 'a table or a view must be put right first',
};

function describeReason({ outcome, reason }: JobState): string {
  if (outcome === null) return '';
  if (reason === '') return `Last run: ${outcome}.`;
  if (outcome === 'skipped') return `Nothing to run: ${skips[reason] ?? reason}.`;
  return `Last run: ${outcome}, ${reason}.`;
}

function timesOf(state: JobState, { nextRun }: StatusAnswer, now: Date): HTMLElement[] {
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

function pendingOf({ pendingChanges }: JobState): string {
  return pendingChanges === null ? 'not counted' : formatNumber(pendingChanges);
}
