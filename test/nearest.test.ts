import { expect, test } from 'vitest';
import { settingKeys } from '../src/config/settings.js';
import { didYouMean, nearest } from '../src/nearest.js';

test.each([
  ['DB_HSOT', 'DB_HOST'],
  ['DB_HOTS', 'DB_HOST'],
  ['DBHOST', 'DB_HOST'],
  ['db_host', 'DB_HOST'],
  ['DB-HOST', 'DB_HOST'],
  ['DB_PASS', 'DB_PASSWORD'],
  ['DB_PASWORD', 'DB_PASSWORD'],
  ['DB_POOL', 'DB_POOL_SIZE'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['LOG_LEVLE', 'LOG_LEVEL'],
  ['REFRESH_SHEDULE', 'REFRESH_SCHEDULE'],
  ['STATUSPORT', 'STATUS_PORT'],
  ['MAINTENANCE', 'MAINTENANCE_MODE'],
])('%s probably means %s', (typed, meant) => {
  expect(nearest(typed, settingKeys)).toBe(meant);
});

/** Settings of Registry and variables of others, which share a file with ours. */
const foreign = [
  'ALERT_INTERVAL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'COOKIE_DOMAIN',
  'DB_DRIVER',
  'DB_TYPE',
  'DB_URL',
  'EMAIL_ENABLED',
  'LOG_CALLER',
  'LOG_FILE',
  'LOG_TO_CONSOLE',
  'NODE_ENV',
  'NSQ_URL',
  'PASSWORD',
  'PGHOST',
  'REDIS_URL',
  'REGION',
  'SESSION_MAX_AGE',
  'STATUS',
  'TZ',
];

test.each(foreign)('%s is a name of another program', (name) => {
  expect(nearest(name, settingKeys)).toBeUndefined();
});

test('a very long word is compared without a table of its length', () => {
  expect(nearest('x'.repeat(1_000_000), settingKeys)).toBeUndefined();
});

test('a message gets a guess, or nothing', () => {
  expect(didYouMean('work_item', ['work_items', 'history'])).toBe('; did you mean work_items?');
  expect(didYouMean('everything', ['work_items', 'history'])).toBe('');
});
