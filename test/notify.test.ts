import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createEvents, type Event } from '../src/daemon/events.js';
import type { Database } from '../src/db/database.js';
import type { Outcome } from '../src/jobs/outcome.js';
import { AppError } from '../src/errors.js';
import { Claims } from '../src/notify/claim.js';
import { stateFrom, toBody, type Notification } from '../src/notify/notification.js';
import { OutageWatch } from '../src/notify/outage-watch.js';
import { Webhook, type WebhookContext } from '../src/notify/webhook.js';
import { eventually } from './support/slow-job.js';
import { createTestDatabase } from './support/test-database.js';
import { secretPath, startReceiver } from './support/webhook-receiver.js';

afterEach(() => {
  vi.useRealTimers();
});

function configWith(notifyUrl: string | undefined, password = 'pw-of-the-test') {
  const config = { aptEnv: 'staging', db: { name: 'registry', password }, notifyUrl };
  return config as WebhookContext['config'];
}

function failing(changes: Partial<Notification> = {}): Notification {
  const sentence = 'update_counts failed: no';
  return { subject: 'update_counts', state: 'failing', sentence, at: new Date(), ...changes };
}

/** Old enough to be tried only once. */
function lastTry(): Notification {
  return failing({ at: new Date(Date.now() - 3_600_000) });
}

/** Creates a webhook. `ends` are its events: delivered, or the reason of the loss. */
function webhookTo(url: string): { webhook: Webhook; ends: string[] } {
  const events = createEvents();
  const ends: string[] = [];
  events.observe((event) => {
    if (event.type === 'notified') ends.push('delivered');
    if (event.type === 'notify-failed') ends.push(event.reason);
  });
  const webhook = new Webhook({ config: configWith(url), events });
  onTestFinished(() => {
    webhook.abort();
  });
  return { webhook, ends };
}

test('a notification is one POST of JSON, for chats and for programs', async () => {
  const receiver = await startReceiver();
  const { webhook, ends } = webhookTo(receiver.url);
  const at = new Date('2026-03-01T09:00:02.113Z');
  webhook.send(failing({ at, sentence: 'update_counts failed: a < b & c' }));
  await webhook.drain();

  expect(ends).toEqual(['delivered']);
  expect(receiver.deliveries).toMatchObject([
    {
      method: 'POST',
      path: `/${secretPath}`,
      contentType: 'application/json',
      body: {
        version: 1,
        text: 'registry-stats in staging: update_counts failed: a &lt; b &amp; c',
        subject: 'update_counts',
        state: 'failing',
        sentence: 'update_counts failed: a < b & c',
        environment: 'staging',
        database: 'registry',
        time: '2026-03-01T09:00:02.113Z',
      },
    },
  ]);
});

test('a body contains no secret, no command for a chat, no control character, and is short', () => {
  const url = `https://hooks.example.org/${secretPath}`;
  const sentence = `failed: pw-of-the-test ${url} <!channel>\u001b[2J\n\u202e${'x'.repeat(5_000)}`;
  const body = toBody(failing({ sentence }), configWith(url));
  const { text } = JSON.parse(body) as { text: string };

  expect(text).toMatch(
    /^registry-stats in staging: failed: \*{8} \*{8} &lt;!channel&gt;�\[2J �x+…$/,
  );
  expect(body).not.toMatch(/pw-of-the-test|T0-secret-path|[\u001b\u202e]/);
  expect(body.length).toBeLessThan(2_000);
});

test('a receiver that refuses for a moment is tried again, and the order stays', async () => {
  const receiver = await startReceiver((request) => [503, 429][request - 1] ?? 204);
  const { webhook, ends } = webhookTo(receiver.url);
  webhook.send(failing());
  webhook.send(failing({ state: 'good' }));
  await webhook.drain();

  expect(ends).toEqual(['delivered', 'delivered']);
  expect((await receiver.changes(4)).map(([, state]) => state)).toEqual([
    'failing',
    'failing',
    'failing',
    'good',
  ]);
});

test('a receiver that refuses for good is not tried again', async () => {
  const receiver = await startReceiver(() => 404);
  const { webhook, ends } = webhookTo(receiver.url);
  webhook.send(failing());
  await webhook.drain();

  expect(ends).toEqual(['HTTP 404']);
  expect(receiver.deliveries).toHaveLength(1);
});

test('a redirect is not followed', async () => {
  const other = await startReceiver();
  const receiver = await startReceiver(() => ({ location: other.url }));
  const { webhook, ends } = webhookTo(receiver.url);
  webhook.send(failing());
  await webhook.drain();

  expect(ends).toEqual(['HTTP 302: redirects are not followed']);
  expect(other.deliveries).toEqual([]);
});

test('a receiver that is away, or does not respond, loses the message after the limit', async () => {
  const silent = await startReceiver(() => 'silence');
  const away = webhookTo(`http://127.0.0.1:1/${secretPath}`);
  const slow = webhookTo(silent.url);
  for (const { webhook } of [away, slow]) webhook.send(lastTry());
  await Promise.all([away.webhook.drain(), slow.webhook.drain()]);

  expect(away.ends).toHaveLength(1);
  // Node's fetch refuses port 1 itself, without a code.
  expect(away.ends[0]).toMatch(/^(ECONNREFUSED|the request failed)$/);
  expect(slow.ends).toEqual(['no response within 10 s']);
});

test('at most 20 messages wait; beyond that the oldest is lost', async () => {
  const silent = await startReceiver(() => 'silence');
  const { webhook, ends } = webhookTo(silent.url);
  for (let number = 0; number < 25; number++) webhook.send(failing());
  expect(ends).toEqual(Array(4).fill('more than 20 were waiting'));

  webhook.abort();
  await webhook.drain();
  expect(ends.slice(4)).toEqual(Array(21).fill('the daemon stopped'));
});

test('an outage is reported after a minute, once, with its end; a shorter one is not', () => {
  vi.useFakeTimers();
  const reported: unknown[] = [];
  const watch = new OutageWatch(({ state, sentence }) => reported.push([state, sentence]));
  const lost = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const down = { type: 'database-down', error: lost } as const;

  watch.observe(down);
  vi.advanceTimersByTime(59_000);
  watch.observe({ type: 'database-up', downForMs: 59_000 });
  vi.advanceTimersByTime(3_600_000);
  expect(reported).toEqual([]);

  watch.observe(down);
  vi.advanceTimersByTime(30_000);
  watch.observe({ type: 'database-down', error: new Error('another reason') });
  vi.advanceTimersByTime(3_600_000);
  watch.observe({ type: 'database-up', downForMs: 3_630_000 });
  expect(reported).toEqual([
    ['away', 'the database does not respond; runs wait until it is back: connect ECONNREFUSED'],
    ['good', 'the database is back after 61 min'],
  ]);
  watch.observe({ type: 'database-up', downForMs: 1 });
  expect(reported).toHaveLength(2);
});

function finished(result: Outcome): Event {
  const times = { startedAt: new Date(), durationMs: 1 };
  const report = { job: 'update_counts', trigger: 'schedule', result, ...times } as const;
  return { type: 'run-finished', report, nextRun: undefined };
}

function verified(count: number): Event {
  return { type: 'verified', comparison: { count, differences: [], sources: [] }, durationMs: 1 };
}

const lostConnection = new AppError('DATABASE_UNREACHABLE', 'away');

test.each<[Event, string | undefined]>([
  [finished({ outcome: 'refreshed', detail: '4 views' }), 'good'],
  [finished({ outcome: 'skipped', reason: 'unchanged' }), 'good'],
  [finished({ outcome: 'skipped', reason: 'complete' }), 'good'],
  [finished({ outcome: 'skipped', reason: 'inexact', detail: 'a table' }), 'held back'],
  [finished({ outcome: 'skipped', reason: 'busy' }), undefined],
  [finished({ outcome: 'skipped', reason: 'declined' }), undefined],
  [finished({ outcome: 'skipped', reason: 'maintenance' }), undefined],
  [finished({ outcome: 'skipped', reason: 'database-down' }), undefined],
  [finished({ outcome: 'failed', error: new Error('no') }), 'failing'],
  [finished({ outcome: 'failed', error: lostConnection }), undefined],
  [finished({ outcome: 'cancelled', reason: 'stopped' }), undefined],
  [verified(0), 'good'],
  [verified(3), 'drift'],
  [{ type: 'verify-failed', error: new Error('no') }, undefined],
])('%j proves the state %s', (event, state) => {
  expect(stateFrom(event)?.state).toBe(state);
});

function claimsOn({ database }: { database: Pick<Database, 'write'> }): Claims {
  return new Claims({ database, log: { debug: () => undefined } });
}

/** Claims by several daemons at once; returns how many of them report. */
async function reporters(daemons: readonly Claims[], state: Notification['state']) {
  const claimed = await Promise.all(daemons.map((claims) => claims.claim(failing({ state }))));
  return claimed.filter(Boolean).length;
}

test('of several daemons on one database, one reports a change', async () => {
  const target = await createTestDatabase('migrated');
  const daemons = [1, 2, 3, 4].map(() => claimsOn(target));
  const found: number[] = [];
  for (const state of ['good', 'failing', 'failing', 'good', 'good', 'held back'] as const) {
    found.push(await reporters(daemons, state));
  }
  expect(found).toEqual([0, 1, 0, 1, 0, 1]);
  // A daemon that starts later knows what was reported.
  expect(await reporters([claimsOn(target)], 'held back')).toBe(0);
  expect(await reporters([claimsOn(target)], 'good')).toBe(1);
});

test('without the record each daemon reports its own changes', async () => {
  const target = await createTestDatabase('baseline');
  const daemons = [claimsOn(target), claimsOn(target)];
  const found: number[] = [];
  for (const state of ['good', 'failing', 'failing', 'good'] as const) {
    found.push(await reporters(daemons, state));
  }
  expect(found).toEqual([0, 2, 0, 2]);
});

test('what a daemon reported alone is not reported again when the record is back', async () => {
  const target = await createTestDatabase('migrated');
  let isDown = true;
  const database: Pick<Database, 'write'> = {
    write: (options, work) =>
      isDown ? Promise.reject(new Error('down')) : target.database.write(options, work),
  };
  const claims = claimsOn({ database });
  expect(await reporters([claims], 'failing')).toBe(1);
  isDown = false;
  expect(await reporters([claims], 'failing')).toBe(0);
  expect(await reporters([claims], 'good')).toBe(1);

  isDown = true;
  expect(await reporters([claims], 'failing')).toBe(1);
  isDown = false;
  expect(await reporters([claims], 'good')).toBe(1);
  await eventually('the record', async () => {
    const rows = await target.query<{ state: string }>(
      `select state from registry_stats.notification where subject = 'update_counts'`,
    );
    return rows[0]?.state === 'good';
  });
});
