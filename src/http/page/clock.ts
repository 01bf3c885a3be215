import { create, setText } from './dom.js';
import { formatAge } from './format.js';
import { ZonedTime, type Zone } from './zone.js';

/** The daemon's time, in the zone of the page. The browser's clock may be wrong. */
export interface Clock {
  now(): Date;
  /** Sets the daemon's time from a response. */
  set(answeredAt: string): void;
  setZone(zone: Zone): void;
  readonly zone: ZonedTime;
  /** Returns '09:00 EST' for today, else with the day. */
  name(iso: string): string;
}

export function createClock(): Clock {
  let offsetMs = 0;
  let zone = new ZonedTime('local');
  const now = (): Date => new Date(Date.now() + offsetMs);
  return {
    now,
    set: (answeredAt) => {
      offsetMs = new Date(answeredAt).getTime() - Date.now();
    },
    setZone: (chosen) => {
      zone = new ZonedTime(chosen);
    },
    get zone() {
      return zone;
    },
    name: (iso) => `${zone.clock(new Date(iso), now())} ${zone.name(new Date(iso))}`,
  };
}

/** Returns an age like '12 s ago' with the exact time on hover. `keepAges` updates it. */
export function createAge(iso: string | null, clock: Clock, otherwise = 'never'): HTMLElement {
  if (iso === null) return create('span', { class: 'dim' }, otherwise);
  const element = createTime(iso, formatAge(iso, clock.now()), clock);
  element.dataset['since'] = iso;
  return element;
}

/** Returns a text for a time, with the exact time on hover. */
export function createTime(iso: string, text: string, clock: Clock): HTMLElement {
  const title = clock.zone.exact(new Date(iso), clock.now());
  return create('time', { datetime: iso, title }, text);
}

/** Returns '09:00 EST' with the exact time on hover. */
export function createMoment(iso: string, clock: Clock): HTMLElement {
  return createTime(iso, clock.name(iso), clock);
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
