import { create, setText } from './dom.js';
import { formatAge, formatTime } from './format.js';

/** The daemon's time. The browser's clock may be wrong. */
export interface Clock {
  now(): Date;
  /** Sets the daemon's time from a response. */
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

/** Returns a time like '10:42:10 UTC (12 s ago)'. `keepAges` updates the age. */
export function createMoment(iso: string | null, now: Date, otherwise: string): HTMLElement {
  if (iso === null) return create('span', {}, otherwise);
  const age = createAge(iso, now);
  return create('time', { datetime: iso }, `${formatTime(iso, now, true)} (`, age, ')');
}

/** Returns only an age: '12 s ago'. */
export function createAge(iso: string, now: Date): HTMLElement {
  return create('span', { 'data-since': iso }, formatAge(iso, now));
}

/** Updates every age on the page once a second. */
export function keepAges(clock: Clock): void {
  setInterval(() => {
    const now = clock.now();
    for (const element of document.querySelectorAll<HTMLElement>('[data-since]')) {
      setText(element, formatAge(element.dataset['since'] ?? '', now));
    }
  }, 1_000);
}
