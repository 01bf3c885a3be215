import cron from 'node-cron';

export interface Alarm {
  /** The next time it rings. */
  next(): Date;
  stop(): void;
}

/** The longest timer. It limits how late the alarm notices a changed clock. */
const longestWaitMs = 5_000;
/** Ignores small backward steps of the clock, so no time rings twice. */
const toleratedMs = 1_000;

/**
 * Rings at every time of a cron expression, in UTC, by the system clock. If the clock jumps ahead
 * or the machine sleeps, it rings once for all missed times. If the clock is set back, it continues
 * with the next time from there. node-cron's own timer would run every missed time, wait for the
 * old time to come again, and stop for an hour when summer time ends.
 */
export function setAlarm(expression: string, ring: () => void): Alarm {
  const calendar = cron.createTask(expression, () => undefined, { timezone: 'Etc/UTC' });
  let checkedAt = Date.now();
  let next = nextMoment();
  let timer = startTimer();

  function nextMoment(): number {
    const [moment] = calendar.getNextRuns(1);
    if (moment === undefined) throw new Error(`no moment matches "${expression}"`);
    return moment.getTime();
  }

  function startTimer(): NodeJS.Timeout {
    const waitMs = Math.min(Math.max(next - Date.now(), 1), longestWaitMs);
    return setTimeout(check, waitMs);
  }

  function check(): void {
    const now = Date.now();
    const isDue = now >= next;
    if (isDue || now < checkedAt - toleratedMs) next = nextMoment();
    checkedAt = now;
    timer = startTimer();
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
