import cron from 'node-cron';

/** Rings by a schedule. */
export interface Alarm {
  /** When it rings next. */
  next(): Date;
  stop(): void;
}

/** How long it rests at most: a clock that was changed meanwhile is noticed as late. */
const longestRestMs = 5_000;
/** A clock that is kept right by small steps takes no moment twice. */
const toleratedMs = 1_000;

/**
 * Rings at every moment of a cron expression, in UTC, and goes by the clock at each look. Where the
 * clock was set ahead, or the machine slept, it rings once for all that was missed; where it was set
 * back, it takes the next moment from there. node-cron's own timer would walk through every missed
 * moment, rest until the old time comes again, and stand still for the hour that summer time ends.
 */
export function setAlarm(expression: string, ring: () => void): Alarm {
  const calendar = cron.createTask(expression, () => undefined, { timezone: 'Etc/UTC' });
  let looked = Date.now();
  let next = nextMoment();
  let timer = rest();

  function nextMoment(): number {
    const [moment] = calendar.getNextRuns(1);
    if (moment === undefined) throw new Error(`no moment matches "${expression}"`);
    return moment.getTime();
  }

  function rest(): NodeJS.Timeout {
    const restMs = Math.min(Math.max(next - Date.now(), 1), longestRestMs);
    return setTimeout(look, restMs);
  }

  function look(): void {
    const now = Date.now();
    const isDue = now >= next;
    if (isDue || now < looked - toleratedMs) next = nextMoment();
    looked = now;
    timer = rest();
    if (isDue) ring();
  }

  return {
    next: () => new Date(next),
    stop: () => {
      clearTimeout(timer);
      void calendar.destroy();
    },
  };
}
