import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { parseEnv } from 'node:util';

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { loadConfig } from '../src/config/load-config.js';
import { parseConfig } from '../src/config/config.js';
import type { RawSettings, SourceName } from '../src/config/raw-settings.js';
import { renderEnvExample, renderSettingsTable } from './support/settings-docs.js';
import { settingKeys, settingOf, settings, type SettingKey } from '../src/config/settings.js';
import { AppError } from '../src/errors.js';

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'registry-stats-'));
});

afterEach(async () => {
  await rm(cwd, { recursive: true });
});

type Env = Record<string, string>;

function load(env: Env = {}) {
  return loadConfig({ env, cwd });
}

async function configOf(env: Env = {}) {
  return (await load(env)).config;
}

async function errorOf(env: Env): Promise<AppError> {
  const error = await load(env).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error('expected an AppError', { cause: error });
  return error;
}

function write(name: string, text: string | Uint8Array) {
  return writeFile(join(cwd, name), text);
}

function one(line: string): string {
  return `1 problem with the settings:\n  ${line}`;
}

const levels =
  'one of trace, debug, info, warn, error, fatal, silent, or a whole number from -1 to 7';
const time = 'a time like 500ms, 20s, 5m or 2h, above zero and at most 7 days';
const envNames = 'one of ci, demo, dev, docker, integration, production, staging, test, travis';
const truth = 'true or false (or 1, 0, t, f)';
const cron = 'a cron expression of 5 or 6 fields, like "0 * * * *" (UTC)';
const host = 'a host name or an IP address alone';
const url = `${host}, not a URL (port, name, user and password have settings)`;
const listen = `${host}, like 127.0.0.1, 0.0.0.0 or ::`;
const store = 'a path like /PROD/REGISTRY/, or none';
const port = 'a whole number from 1 to 65535';
const webhook = 'an http or https URL without user and password';

/** Required with any DB_HOST; irrelevant to these tests. */
const named = { DB_NAME: 'registry', DB_USER: 'stats' };

const wrong: [key: SettingKey, value: string, expected: string, shown?: string][] = [
  ['APT_ENV', 'prod', envNames],
  ['APT_ENV', 'Production', envNames],
  ['APT_ENV', '../../etc/passwd', envNames],
  ['AWS_REGION', 'US East', 'a region like us-east-1'],
  ['AWS_REGION', 'us-east-1.evil.example', 'a region like us-east-1'],
  ['SSM_PATH', 'PROD/REGISTRY', store],
  ['SSM_PATH', '/', store],
  ['SSM_PATH', '/PROD//REGISTRY/', store],
  ['SSM_PATH', 'None', store],
  ['SSM_TIMEOUT', '0', time],
  ['DB_HOST', 'https://db.example.org', url],
  ['DB_HOST', 'db.example.org:5432', `${host}, without a port (that is DB_PORT)`],
  ['DB_HOST', 'db example', host],
  ['DB_HOST', '[::1]', `${host}, an IPv6 address without brackets`],
  ['DB_HOST', '10.0.0.256', host],
  ['DB_HOST', '-db', host],
  ['DB_PORT', '54x2', port],
  ['DB_PORT', '0', port],
  ['DB_PORT', '65536', port],
  ['DB_PORT', '-5432', port],
  ['DB_PORT', '+5432', port],
  ['DB_PORT', '5432.0', port],
  ['DB_PORT', '5e3', port],
  ['DB_PORT', '0x1538', port],
  ['DB_PORT', '5 432', port],
  ['DB_PORT', '٥٤٣٢', port],
  ['DB_PORT', '99999999999999999999', port],
  ['DB_NAME', 'n'.repeat(64), 'a database name of at most 63 bytes without control characters'],
  ['DB_NAME', 'ü'.repeat(32), 'a database name of at most 63 bytes without control characters'],
  ['DB_NAME', 'a\0b', 'a database name of at most 63 bytes without control characters'],
  ['DB_USER', 'a\tb', 'a role name of at most 63 bytes without control characters'],
  [
    'DB_PASSWORD',
    'pw-with-line-break\n',
    'a password without control characters (a line break at its end?)',
    '********',
  ],
  ['DB_USE_SSL', 'yes', truth],
  ['DB_USE_SSL', 'tRUE', truth],
  ['DB_USE_SSL', 'on', truth],
  ['DB_IAM_AUTH', 'yes', truth],
  ['LOG_SQL', '2', truth],
  ['MAINTENANCE_MODE', 'maybe', truth],
  ['DB_POOL_SIZE', '1', 'a whole number from 2 to 50'],
  ['DB_POOL_SIZE', '51', 'a whole number from 2 to 50'],
  ['DB_CONNECT_TIMEOUT', '10 s', time],
  ['DATA_DIR', 'a\u0007b', 'the path of a directory'],
  ['LOG_LEVEL', 'INFO', levels],
  ['LOG_LEVEL', '8', levels],
  ['LOG_LEVEL', '-2', levels],
  ['LOG_LEVEL', '01', levels],
  ['LOG_LEVEL', 'constructor', levels],
  ['LOG_FORMAT', 'text', 'one of auto, json, pretty'],
  ['REFRESH_SCHEDULE', 'hourly', cron],
  ['REFRESH_SCHEDULE', '@hourly', cron],
  ['REFRESH_SCHEDULE', '0 * * *', cron],
  ['REFRESH_SCHEDULE', '0 0 * * * * *', cron],
  ['REFRESH_SCHEDULE', '61 * * * *', cron],
  // node-cron alone would expand this until the process dies.
  ['REFRESH_SCHEDULE', '0-999999999 * * * *', cron],
  [
    'VERIFY_SCHEDULE',
    'never',
    'a cron expression of 5 or 6 fields, like "0 7 * * 0" (UTC), or "off"',
  ],
  ['VERIFY_DB_HOST', 'replica:5432', `${host}, without a port (that is VERIFY_DB_PORT)`],
  ['VERIFY_DB_PORT', '0', port],
  ['COUNTS_TIMEOUT', '-5s', time],
  ['DEPOSITS_TIMEOUT', '1.5h', time],
  ['HISTORY_TIMEOUT', '8d', time],
  ['HISTORY_TIMEOUT', '169h', time],
  ['LOCK_TIMEOUT', '5sec', time],
  ['SHUTDOWN_TIMEOUT', 'Infinity', time],
  ['SHUTDOWN_TIMEOUT', '0ms', time],
  ['RETRY_ATTEMPTS', '11', 'a whole number from 0 to 10'],
  ['STATUS_HOST', '*', listen],
  ['STATUS_HOST', 'localhost:9310', listen],
  ['STATUS_PORT', '65536', 'a whole number from 0 to 65535'],
  ['NOTIFY_URL', 'hooks.example.org/secret', webhook, '********'],
  ['NOTIFY_URL', 'ftp://hooks.example.org/secret', webhook, '********'],
  ['NOTIFY_URL', 'https://user:secret@hooks.example.org/', webhook, '********'],
  ['NOTIFY_URL', 'https://hooks.example.org/\nsecret', webhook, '********'],
];

test.each(wrong)('%s=%j is refused with one line', async (key, value, expected, shown) => {
  // The environment cannot contain a NUL byte, but parseConfig accepts any text.
  const error = await errorOf({ ...named, [key]: value });
  const found = shown ?? JSON.stringify(value);
  expect(error.message).toBe(one(`${key} (environment): expected ${expected}, found ${found}`));
  expect([error.code, error.exitCode, error.hint]).toEqual([
    'SETTINGS_INVALID',
    3,
    '`registry-stats config --help` explains each setting',
  ]);
});

test('there are more than 45 wrong inputs above, for every setting but the path of a file', () => {
  expect(wrong.length).toBeGreaterThanOrEqual(45);
  expect(settingKeys.filter((key) => !wrong.some((row) => row[0] === key))).toEqual(['DB_SSL_CA']);
});

test('all problems are reported at once, each with its source', async () => {
  await write('.env', 'DB_PORT=x\nLOG_LEVEL=9');
  await write('.env.test', 'STATUS_PORT=y');
  const env = { APT_ENV: 'test', DB_HOST: 'db', REFRESH_SCHEDULE: '*' };
  expect((await errorOf(env)).message).toBe(
    [
      '6 problems with the settings:',
      `  DB_PORT (.env): expected ${port}, found "x"`,
      `  LOG_LEVEL (.env): expected ${levels}, found "9"`,
      `  REFRESH_SCHEDULE (environment): expected ${cron}, found "*"`,
      '  STATUS_PORT (.env.test): expected a whole number from 0 to 65535, found "y"',
      '  DB_NAME: expected a value (required because DB_HOST is set), found none in environment, .env.test, .env',
      '  DB_USER: expected a value (required because DB_HOST is set), found none in environment, .env.test, .env',
    ].join('\n'),
  );
});

test('DB_HOST is required outside of dev and test', async () => {
  const error = await errorOf({ APT_ENV: 'docker', ...named });
  expect(error.message).toBe(
    one(
      'DB_HOST: expected a value (required in docker: only dev and test embed PostgreSQL), found none in environment, .env.docker, .env',
    ),
  );
});

test.each(['staging', 'demo', 'production'])('%s requires a password too', async (aptEnv) => {
  const env = { APT_ENV: aptEnv, SSM_PATH: 'none', DB_HOST: 'db', ...named };
  expect((await errorOf(env)).message).toBe(
    one(
      `DB_PASSWORD: expected a value (required in ${aptEnv}), found none in environment, .env.${aptEnv}, .env`,
    ),
  );
});

test('a wrong value is not called missing', async () => {
  const env = { APT_ENV: 'ci', DB_HOST: 'a b', ...named };
  expect((await errorOf(env)).message).toBe(
    one(`DB_HOST (environment): expected ${host}, found "a b"`),
  );
});

test('DB_SSL_CA without DB_USE_SSL is refused, because it would have no effect', async () => {
  await write('ca.pem', rootCertificates[0] ?? '');
  const expected = 'expected no value, or DB_USE_SSL=true as well';
  expect((await errorOf({ DB_SSL_CA: 'ca.pem', DB_USE_SSL: 'false' })).message).toBe(
    one(`DB_SSL_CA (environment): ${expected}, found "ca.pem"`),
  );
  const config = await configOf({ DB_SSL_CA: 'ca.pem', DB_USE_SSL: 'true' });
  expect(config.db).toMatchObject({ useSsl: true, sslCa: rootCertificates[0] });
});

test('VERIFY_DB_PORT alone is refused, because it would have no effect; its default is DB_PORT', async () => {
  expect((await errorOf({ VERIFY_DB_PORT: '5433' })).message).toBe(
    one('VERIFY_DB_PORT (environment): expected no value, or VERIFY_DB_HOST as well, found "5433"'),
  );
  const env = { DB_HOST: 'db', DB_PORT: '5431', ...named, VERIFY_DB_HOST: 'replica' };
  const { config, settings: effective } = await load(env);
  expect(config.replica).toEqual({ host: 'replica', port: 5431 });
  expect(effective.find(({ key }) => key === 'VERIFY_DB_PORT')).toMatchObject({ value: '5431' });
  expect(await configOf({ ...env, VERIFY_DB_PORT: '5433' })).toMatchObject({
    replica: { host: 'replica', port: 5433 },
  });
});

test.each([
  ['missing.pem', 'ENOENT'],
  ['folder', 'this is not a file'],
  ['empty.pem', 'it contains none'],
  ['broken.pem', 'it contains none'],
  ['key.pem', 'it contains none'],
  ['der.crt', 'this is DER'],
  ['second.pem', 'number 2 of 3 is broken'],
  ['half.pem', 'number 2 of 2 is broken'],
  ['large.pem', 'this has 1048577 bytes'],
])('DB_SSL_CA=%s is refused: %s', async (name, reason) => {
  await mkdir(join(cwd, 'folder'));
  await write('empty.pem', '');
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const [good = ''] = rootCertificates;
  await write('broken.pem', broken);
  await write('key.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  await writeFile(join(cwd, 'der.crt'), new X509Certificate(good).raw);
  await write('second.pem', `${good}\n${broken}${good}\n`);
  await write('half.pem', `${good}\n${good.slice(0, 500)}`);
  await write('large.pem', 'x'.repeat(1_048_577));
  const expected = `the path of a readable PEM file with a certificate (${reason})`;
  expect((await errorOf({ DB_SSL_CA: name, DB_USE_SSL: '1' })).message).toBe(
    one(`DB_SSL_CA (environment): expected ${expected}, found "${name}"`),
  );
});

test.each([
  [{ APT_ENV: 'dev' }, ['DB_HOST and DB_USE_SSL=true']],
  [{ DB_HOST: 'db', ...named }, ['DB_USE_SSL=true']],
  [{ DB_USE_SSL: 'true' }, ['DB_HOST']],
  [{ APT_ENV: 'demo', SSM_PATH: 'none', DB_HOST: 'db', ...named }, []],
])('DB_IAM_AUTH with %j lacks %j', async (env, wanting) => {
  const [what] = wanting;
  const withIam = { ...env, DB_IAM_AUTH: 'true' };
  if (what === undefined) {
    expect((await configOf(withIam)).db).toMatchObject({ isIamAuth: true, password: undefined });
  } else {
    const expected = `expected false, or ${what} as well, found "true"`;
    expect((await errorOf(withIam)).message).toBe(one(`DB_IAM_AUTH (environment): ${expected}`));
  }
});

test.each(['environment', '.env'])(
  'DB_IAM_AUTH with a password from %s is refused, and the password is not shown',
  async (source) => {
    const env = { DB_HOST: 'db', ...named, DB_USE_SSL: 'true', DB_IAM_AUTH: 'true' };
    if (source === '.env') await write('.env', 'DB_PASSWORD=secret');
    const password = source === '.env' ? {} : { DB_PASSWORD: 'secret' };
    expect((await errorOf({ ...env, ...password })).message).toBe(
      one(`DB_PASSWORD (${source}): expected no value with DB_IAM_AUTH=true, found ********`),
    );
  },
);

const fileExpected =
  'expected a readable UTF-8 text file of at most 64 KiB with lines KEY=value, found';

test.each<[name: string, content: string | Uint8Array, found: string]>([
  ['.env', 'A=1\nDB_PORT=5432\0', 'a NUL byte'],
  ['.env.dev', `#${'x'.repeat(65_536)}`, '65537 bytes'],
  ['.env', Uint8Array.of(0x41, 0x3d, 0xff), 'bytes that are not UTF-8'],
  ['.env', 'A=1\n\nstray pw-hidden\nDB_PORT=5432\n', 'another kind of line, line 3'],
  ['.env.dev', '\ufeffA=1\r\nstray\r\nDB_PORT=5432\r\n', 'another kind of line, line 2'],
  ['.env', 'A="1\n2"\n\n=x\nDB_PORT=5432\n', 'another kind of line, line 4'],
  ['.env', 'export  DB_PORT=5432', 'another kind of line, line 1'],
  ['.env', 'DB_PORT: 5432', 'another kind of line, line 1'],
  // Blank for JavaScript, a part of the next key for the parser.
  ['.env', '\ufeff\ufeff\nDB_PORT=5432\n', 'another kind of line, line 1'],
  ['.env', 'A=1\n\u00a0\nDB_PORT=5432\n', 'another kind of line, line 2'],
  ['.env', 'A=1\n\u00a0DB_PORT=5432\n', 'another kind of line, line 2'],
  [
    '.env',
    'A=1\nSTATUS_PORT="9310\nDB_PASSWORD=pw of two words\nX="x"',
    'a quote that is not closed, line 2',
  ],
  ['.env', "X='1\nDB_PASSWORD=pw\nY='2'", 'a quote that is not closed, line 1'],
  ['.env', 'A=1\nDB_PASSWORD="pw', 'a quote that is not closed, line 2'],
])('%s with %j is refused as a whole', async (name, content, found) => {
  await write(name, content);
  const error = await errorOf({});
  expect(error.message).toBe(one(`${name}: ${fileExpected} ${found}`));
});

test('a .env file may have a byte order mark, CRLF, export, comments and quotes over lines', async () => {
  const lines = [
    '# c',
    'export DB_PORT=1 # c',
    '  DB_NAME = "a b"',
    'X="1',
    'not a line',
    '2"',
    '',
  ];
  await write('.env', `\ufeff${lines.join('\r\n')}DB_USER='it is #1'`);
  const { db } = await configOf();
  expect([db.port, db.name, db.user]).toEqual([1, 'a b', 'it is #1']);
});

test('a directory instead of a .env file is refused, and hides no missing setting', async () => {
  await mkdir(join(cwd, '.env.ci'));
  expect((await errorOf({ APT_ENV: 'ci' })).message).toBe(
    one(`.env.ci: ${fileExpected} a directory`),
  );
});

test('a "#" in a value without quotes is refused, because the rest would be lost', async () => {
  await write('.env', 'DB_PASSWORD=pw-half#pw-other\nDB_USER=a # a comment\nDB_NAME="a#b"\n');
  const error = await errorOf({});
  expect(error.message).toBe(
    one(
      'DB_PASSWORD (.env): expected quotes around a value that holds "#", found a "#" without quotes',
    ),
  );
});

test('without settings the environment is dev, with an embedded PostgreSQL', async () => {
  expect(await configOf()).toEqual({
    aptEnv: 'dev',
    isAptEnvExplicit: false,
    isLive: false,
    isMaintenance: false,
    ssmPath: undefined,
    awsRegion: 'us-east-1',
    dataDir: join(cwd, '.data'),
    db: {
      host: undefined,
      port: 5432,
      name: 'registry_stats_dev',
      user: 'registry',
      password: undefined,
      isIamAuth: false,
      useSsl: false,
      sslCa: undefined,
      poolSize: 4,
      connectTimeoutMs: 10_000,
    },
    replica: undefined,
    log: { level: 'info', sql: false, format: 'auto' },
    refreshSchedule: '0 * * * *',
    verifySchedule: '0 7 * * 0',
    timeouts: {
      countsMs: 1_800_000,
      depositsMs: 1_800_000,
      historyMs: 21_600_000,
      lockMs: 5_000,
      shutdownMs: 20_000,
    },
    retryAttempts: 3,
    status: { host: '127.0.0.1', port: 9310 },
  });
});

test('a live environment uses TLS by default', async () => {
  const env = { APT_ENV: 'demo', SSM_PATH: 'none', DB_HOST: 'db', ...named, DB_PASSWORD: 'pw' };
  expect(await configOf(env)).toMatchObject({
    isLive: true,
    isAptEnvExplicit: true,
    db: { useSsl: true },
  });
  expect((await configOf({ ...env, DB_USE_SSL: 'f' })).db.useSsl).toBe(false);
});

test.each([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
])('the boolean %s is %s, as in Go', async (text, value) => {
  expect((await configOf({ MAINTENANCE_MODE: text })).isMaintenance).toBe(value);
});

test.each([
  ['-1', 'trace'],
  ['0', 'debug'],
  ['1', 'info'],
  ['2', 'warn'],
  ['3', 'error'],
  ['4', 'fatal'],
  ['5', 'fatal'],
  ['6', 'silent'],
  ['7', 'silent'],
  ['warn', 'warn'],
])('the log level %s is %s', async (text, level) => {
  expect((await configOf({ LOG_LEVEL: text })).log.level).toBe(level);
});

test.each([
  ['500ms', 500],
  ['20s', 20_000],
  ['20', 20_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['168h', 604_800_000],
  ['604800', 604_800_000],
])('the time %s is %i ms', async (text, ms) => {
  expect((await configOf({ SHUTDOWN_TIMEOUT: text })).timeouts.shutdownMs).toBe(ms);
});

test.each(['*/5 * * * *', '30 0 * * * *', '0 0 * jan mon-fri', '0  *\t* * *'])(
  'the schedule %j is accepted',
  async (text) => {
    const { refreshSchedule } = await configOf({ REFRESH_SCHEDULE: text });
    expect(refreshSchedule).toBe(text.replace(/\s+/g, ' '));
  },
);

test.each(['localhost', 'db_1', '10.0.0.1', '::1', 'a.rds.amazonaws.com.', '/var/run/postgresql'])(
  'the database host %s is accepted',
  async (text) => {
    expect((await configOf({ DB_HOST: text, ...named })).db.host).toBe(text);
  },
);

test('variables that are not our settings are dropped', async () => {
  const { config, settings: effective } = await load({ DB_DRIVER: 'postgres', PATH: 'pw-of-path' });
  expect(JSON.stringify([config, effective])).not.toMatch(/DB_DRIVER|pw-of-path/);
});

test('white space around a value is dropped, except around a password', async () => {
  const { db } = await configOf({ DB_PORT: ' 6000\t', DB_PASSWORD: ' pw with spaces ' });
  expect([db.port, db.password]).toEqual([6000, ' pw with spaces ']);
});

test('an empty value counts as unset in every source', async () => {
  await write('.env', 'DB_PORT=6001\nSTATUS_PORT=7001');
  await write('.env.dev', 'DB_PORT=\nSTATUS_PORT="  "');
  const blanks = Object.fromEntries(settingKeys.map((key) => [key, key.length % 2 ? '' : ' \t']));
  const { config, settings: effective } = await load(blanks);
  expect([config.aptEnv, config.isAptEnvExplicit]).toEqual(['dev', false]);
  expect([config.db.port, config.status.port]).toEqual([6001, 7001]);
  expect(effective.filter(({ source }) => source === '.env').map(({ key }) => key)).toEqual([
    'DB_PORT',
    'STATUS_PORT',
  ]);
});

test('a name in a .env file that is almost a setting is noted, never with its value', async () => {
  await write('.env', 'DB_HSOT=secret.example.org\nLOG_LEVLE=debug\nDB_DRIVER=postgres');
  await write('.env.dev', 'export STATUS_PROT="1"\nDB_HOST=\nREDIS_URL=x');
  expect((await load()).notes).toEqual([
    '.env: DB_HSOT is not a setting; did you mean DB_HOST?',
    '.env: LOG_LEVLE is not a setting; did you mean LOG_LEVEL?',
    '.env.dev: STATUS_PROT is not a setting; did you mean STATUS_PORT?',
  ]);
  expect((await errorOf({ APT_ENV: 'docker', DB_NAME: 'x', DB_USER: 'x' })).message).toBe(
    [
      one(
        'DB_HOST: expected a value (required in docker: only dev and test embed PostgreSQL), found none in environment, .env.docker, .env',
      ),
      '.env: DB_HSOT is not a setting; did you mean DB_HOST?',
      '.env: LOG_LEVLE is not a setting; did you mean LOG_LEVEL?',
    ].join('\n  '),
  );
});

test('a name near a setting that the same file sets belongs to another program', async () => {
  await write('.env', 'DB_HOSTS=a,b\nDB_HOST=a\nDB_NAME=n\nDB_USER=u');
  expect((await load()).notes).toEqual([]);
});

test('each source wins over the ones below it', () => {
  const names: SourceName[] = ['environment', 'parameter store', '.env.dev', '.env'];
  const sources = names.map((name, i) => ({
    name,
    values: new Map<SettingKey, string>([['STATUS_PORT', String(i + 1)]]),
  }));
  const ports = [0, 1, 2, 3, 4].map(
    (from) => parseConfig({ cwd, sources: sources.slice(from) }).status.port,
  );
  expect(ports).toEqual([1, 2, 3, 4, 9310]);
});

test('the effective settings name the source: environment, .env.dev, .env or default', async () => {
  await write('.env', 'DB_PORT=1\nLOG_SQL=true\nLOG_LEVEL=2');
  await write('.env.dev', 'DB_PORT=2\nLOG_SQL=false');
  const { settings: effective } = await load({ DB_PORT: '3' });
  const shown = effective.map(({ key, value, source }) => `${key}=${value} (${source})`);
  expect(shown).toContain('DB_PORT=3 (environment)');
  expect(shown).toContain('LOG_SQL=false (.env.dev)');
  expect(shown).toContain('LOG_LEVEL=2 (.env)');
  expect(shown).toContain('STATUS_PORT=9310 (default)');
  expect(shown).toContain('DB_NAME=registry_stats_dev (default)');
  expect(shown).toContain('DB_HOST= (unset)');
  expect(effective.map(({ key }) => key)).toEqual(settingKeys);
});

test('APT_ENV chooses the file: from the environment, else from .env, never from the file', async () => {
  await write('.env', 'APT_ENV=test');
  await write('.env.test', 'APT_ENV=ci\nDB_PORT=1');
  await write('.env.dev', 'DB_PORT=2');
  const fromFile = await configOf();
  expect([fromFile.aptEnv, fromFile.isAptEnvExplicit, fromFile.db.port]).toEqual(['test', true, 1]);
  expect(fromFile.db.name).toBe('registry_stats_test');
  expect((await configOf({ APT_ENV: 'dev' })).db.port).toBe(2);
});

test('AWS_REGION of any source wins over AWS_DEFAULT_REGION', async () => {
  expect((await configOf({ AWS_DEFAULT_REGION: 'eu-west-1' })).awsRegion).toBe('eu-west-1');
  await write('.env', 'AWS_REGION=eu-west-2');
  expect((await configOf({ AWS_DEFAULT_REGION: 'eu-west-1' })).awsRegion).toBe('eu-west-2');
});

test('the result is frozen to its leaves', async () => {
  const config = await configOf();
  expect(
    [config, config.db, config.log, config.timeouts, config.status].every(Object.isFrozen),
  ).toBe(true);
});

test.each([
  ['DB_HOST', 'postgres://stats:pw-1@db/registry', '"postgres://********@db/registry"'],
  ['DB_HOST', 'stats:pw/1@2@db', '"********@db"'],
  ['DB_HOST', "host=db password='pw 1' user=a", '"host=db password=******** user=a"'],
  ['DB_HOST', 'db?pwd=pw-1&x', '"db?pwd=********&x"'],
  ['DB_PORT', 'x-pw-own-x', '"x-********-x"'],
  ['DB_PORT', 'pw%2Down pw-overridden', '"pw%2Down ********"'],
  ['DB_PORT', 'pw%20of%20file', '"********"'],
])('%s=%s shows no password', async (key, value, shown) => {
  await write('.env', 'DB_PASSWORD=pw-overridden');
  await write('.env.dev', 'DB_PASSWORD="pw of file"');
  const { message } = await errorOf({ ...named, DB_PASSWORD: 'pw-own', [key]: value });
  expect(message.slice(message.indexOf('found ') + 6)).toBe(shown);
});

test('a found value is cut at 80 characters and cannot move the cursor', async () => {
  const long = `\u001b[2J\u009b\u202e"${'x'.repeat(100)}`;
  const { message } = await errorOf({ LOG_FORMAT: long });
  expect(message).toBe(
    one(
      `LOG_FORMAT (environment): expected one of auto, json, pretty, found "\\u001b[2J\\u009b\\u202e\\"${'x'.repeat(73)}"…`,
    ),
  );
});

/** Marks every string that is part of a password. */
const mark = '§';
const anyText = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(mark, ''));
const password = fc
  .tuple(
    fc.constantFrom('', ' ', '\t'),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', ' ', '\n'),
  )
  .map(([before, inner, after]) => `${before}${mark}${inner}${mark}${after}`);

test('any string in any setting: a config or an AppError, and no password is shown', async () => {
  const value = fc.oneof(
    anyText,
    fc.constantFrom('true', '1', '5s', 'db', '* * * * *', 'staging', 'none', '/a/', 'a://b:c@d'),
  );
  const settingsOfAnyKind = fc.dictionary(fc.constantFrom(...settingKeys), value, {
    noNullPrototype: true,
  });
  const wrapped = fc.tuple(fc.constantFrom(...settingKeys), value, value);
  await fc.assert(
    fc.asyncProperty(
      settingsOfAnyKind,
      password,
      wrapped,
      async (env, secret, [key, before, after]) => {
        const all: Env = {
          ...env,
          [key]: `${before}${secret}${after}`,
          SSM_PATH: 'none',
          DB_PASSWORD: secret,
        };
        const error = await load(all).then(
          ({ settings: effective }) =>
            // Valid values are shown unchanged.
            effective
              .filter((setting) => setting.key === 'DB_PASSWORD')
              .map((setting) => setting.value),
          (reason: unknown) =>
            reason instanceof AppError ? reason.message : Promise.reject(reason as Error),
        );
        expect(String(error)).not.toContain(mark);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('any .env file: a config or an AppError, and no password is shown', async () => {
  const line = fc.oneof(
    anyText,
    fc.tuple(fc.constantFrom(...settingKeys), anyText).map(([key, text]) => `${key}=${text}`),
    password.map((secret) => `DB_PASSWORD="${secret}`),
    password.map((secret) => `${secret}\nDB_PORT=x`),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line), async (lines) => {
      await write('.env', lines.join('\n'));
      const message = await load({ APT_ENV: 'dev', SSM_PATH: 'none' }).then(
        () => '',
        (reason: unknown) =>
          reason instanceof AppError ? reason.message : Promise.reject(reason as Error),
      );
      expect(message).not.toContain(mark);
    }),
    { numRuns: 500 },
  );
});

test('parseConfig reads nothing and changes nothing', () => {
  const raw: RawSettings = { cwd: '/nowhere', sources: [] };
  expect(parseConfig(Object.freeze(raw))).toEqual(parseConfig(raw));
  expect(parseConfig(raw).dataDir).toBe('/nowhere/.data');
});

test('every default is a value that the setting itself accepts', () => {
  for (const key of settingKeys) {
    const text = settingOf(key).default ?? settingOf(key).example;
    if (text !== undefined && text !== '') {
      expect([key, settingOf(key).schema.safeParse(text).success]).toEqual([key, true]);
    }
  }
});

test('.env.example matches the settings exactly', async () => {
  const text = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
  expect(text).toBe(renderEnvExample());
  const keys = [...text.matchAll(/^#([A-Z_]+)=/gm)].map((match) => match[1]);
  expect(keys).toEqual(Object.keys(settings));
  expect(parseEnv(text)).toEqual({});
});

test('.env.example works uncommented, in dev', async () => {
  const text = renderEnvExample().replace(/^#(?=[A-Z_]+=)/gm, '');
  await write('.env', text.replace(/^(SSM_PATH|DB_SSL_CA)=.*$/gm, ''));
  expect((await configOf()).db.host).toBe('localhost');
});

test('the table in docs/settings.md matches the settings', async () => {
  const text = await readFile(new URL('../docs/settings.md', import.meta.url), 'utf8');
  const [, table] = /<!-- settings:begin -->([^]*)<!-- settings:end -->/.exec(text) ?? [];
  expect(table?.trim()).toBe(renderSettingsTable());
});
