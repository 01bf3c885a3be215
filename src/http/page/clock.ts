import { create, setText } from './dom.js';
import { formatAge, formatTime } from './format.js';

/** The daemon's time, whatever this computer's clock says. */
export interface Clock {
  now(): Date;
  /** Takes up the daemon's time from an answer. */
  set(answeredAt: string): void;
}

export function createClock(): Clock {
  let offsetMs = 0;
  return {
    now: () => new Date(Date.now() + offsetMs),
    set: (answeredAt) => {
      offsetMs = new Date(answeredAt).getTime() - Date.now();
    },
  };
}

/** A moment as '10:42:10 UTC (12 s ago)', whose age is kept right by `keepAges`. */
export function createMoment(iso: string | null, now: Date, otherwise: string): HTMLElement {
  if (iso === null) return create('span', {}, otherwise);
  const age = createAge(iso, now);
  return create('time', { datetime: iso }, `${formatTime(iso, now, true)} (`, age, ')');
}

/** An age alone: '12 s ago'. */
export function createAge(iso: string, now: Date): HTMLElement {
  return create('span', { 'data-since': iso }, formatAge(iso, now));
}

/** Once a second, every age that is on the page. */
export function keepAges(clock: Clock): void {
  setInterval(() => {
    const now = clock.now();
    for (const element of document.querySelectorAll<HTMLElement>('[data-since]')) {
      setText(element, formatAge(element.dataset['since'] ?? '', now));
    }
  }, 1_000);
}
