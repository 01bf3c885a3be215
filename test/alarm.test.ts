import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { setAlarm, type Alarm } from '../src/daemon/alarm.js';

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-05-10T12:10:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** Sets an alarm that stops with the test, and collects the times at which it rings. */
function ringing(expression: string): { alarm: Alarm; rung: string[] } {
  const rung: string[] = [];
  const alarm = setAlarm(expression, () => rung.push(new Date().toISOString()));
  onTestFinished(() => {
    alarm.stop();
  });
  return { alarm, rung };
}

const minute = 60_000;

test('an alarm rings at each time of its expression', async () => {
  const { alarm, rung } = ringing('0 * * * *');
  await vi.advanceTimersByTimeAsync(120 * minute);
  expect(rung).toEqual(['2026-05-10T13:00:00.000Z', '2026-05-10T14:00:00.000Z']);
  expect(alarm.next()).toEqual(new Date('2026-05-10T15:00:00Z'));
});

test('a clock set ahead rings once for all missed times', async () => {
  const { alarm, rung } = ringing('* * * * *');
  vi.setSystemTime(new Date('2036-05-10T12:10:30Z'));
  await vi.advanceTimersByTimeAsync(6_000);
  expect(rung).toEqual(['2036-05-10T12:10:35.000Z']);
  expect(alarm.next()).toEqual(new Date('2036-05-10T12:11:00Z'));
});

test('a clock set back continues from the new time', async () => {
  const { alarm, rung } = ringing('0 * * * *');
  vi.setSystemTime(new Date('2026-05-01T07:58:00Z'));
  await vi.advanceTimersByTimeAsync(6_000);
  expect(alarm.next()).toEqual(new Date('2026-05-01T08:00:00Z'));
  await vi.advanceTimersByTimeAsync(2 * minute);
  expect(rung).toEqual(['2026-05-01T08:00:00.000Z']);
});

test.each([
  ['Europe/Berlin', '2027-03-27T22:30:00Z'],
  ['Europe/Berlin', '2027-10-30T22:30:00Z'],
  ['America/New_York', '2027-03-14T04:30:00Z'],
  ['America/New_York', '2027-11-07T03:30:00Z'],
])('in %s the change of summer time changes nothing (%s)', async (zone, begin) => {
  vi.stubEnv('TZ', zone);
  vi.setSystemTime(new Date(begin));
  const { rung } = ringing('0 * * * *');
  await vi.advanceTimersByTimeAsync(6 * 60 * minute);
  const first = Date.parse(begin) + 30 * minute;
  expect(rung).toEqual(
    [0, 1, 2, 3, 4, 5].map((hours) => new Date(first + hours * 60 * minute).toISOString()),
  );
});

test('a stopped alarm does not ring', async () => {
  const { alarm, rung } = ringing('* * * * *');
  alarm.stop();
  await vi.advanceTimersByTimeAsync(5 * minute);
  expect(rung).toEqual([]);
});
