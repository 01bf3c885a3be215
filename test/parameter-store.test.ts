import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { loadConfig } from '../src/config/load-config.js';
import { replaceSdkWarning } from '../src/config/node-version.js';
import { readParameterStore } from '../src/config/parameter-store.js';
import { toParameterStoreError } from '../src/config/parameter-store-errors.js';
import { AppError } from '../src/errors.js';
import { runCommand } from './support/program.js';
import {
  startSsmStandIn,
  type SsmStandIn,
  type SsmStandInOptions,
} from './support/ssm-stand-in.js';

const path = '/PROD/REGISTRY/';
const region = 'us-east-1';
const place = 'Parameter Store path /PROD/REGISTRY/ in us-east-1';
const complete = {
  '/PROD/REGISTRY/DB_HOST': 'db.example.org',
  '/PROD/REGISTRY/DB_NAME': 'registry',
  '/PROD/REGISTRY/DB_USER': 'stats',
  '/PROD/REGISTRY/DB_PASSWORD': 'pw-of-the-store',
};

let cwd: string;
let standIns: SsmStandIn[] = [];

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'registry-stats-'));
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  }
  vi.stubEnv('AWS_CONFIG_FILE', join(cwd, 'no-config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(cwd, 'no-credentials'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await Promise.all(standIns.map((standIn) => standIn.close()));
  standIns = [];
  await rm(cwd, { recursive: true });
});

async function start(options: SsmStandInOptions): Promise<SsmStandIn> {
  const standIn = await startSsmStandIn(options);
  standIns.push(standIn);
  vi.stubEnv('AWS_ENDPOINT_URL_SSM', standIn.url);
  return standIn;
}

function read(input: { keys?: string[]; timeoutMs?: number; signal?: AbortSignal } = {}) {
  const keys = ['DB_HOST', 'DB_NAME', 'DB_USER', 'DB_PASSWORD'];
  return readParameterStore({ path, region, keys, timeoutMs: 10_000, ...input });
}

function completeWithout(...keys: string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(complete).filter(([name]) => !keys.some((key) => name === `${path}${key}`)),
  );
}

async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error('expected an AppError', { cause: error });
  return { code: error.code, message: error.message, hint: error.hint, exitCode: error.exitCode };
}

const checkHint =
  'Check the network, AWS_REGION and any AWS_ENDPOINT_URL, raise SSM_TIMEOUT, or set SSM_PATH=none to run without it.';

test('the path is read once, one level deep and decrypted, in signed requests', async () => {
  const standIn = await start({
    parameters: { ...complete, '/PROD/REGISTRY/OLD/DB_HOST': 'deeper', '/PROD/DB_HOST': 'higher' },
  });
  expect(Object.fromEntries(await read())).toEqual({
    DB_HOST: 'db.example.org',
    DB_NAME: 'registry',
    DB_USER: 'stats',
    DB_PASSWORD: 'pw-of-the-store',
  });
  expect(standIn.requests).toHaveLength(1);
  expect(standIn.requests[0]).toEqual({
    target: 'AmazonSSM.GetParametersByPath',
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=test\/\d+\/us-east-1\/ssm/,
    ) as string,
    body: { Path: path, Recursive: false, WithDecryption: true, MaxResults: 10 },
  });
});

test("AWS_ENDPOINT_URL, the SDK's general variable, is used too", async () => {
  const standIn = await start({ parameters: complete });
  vi.stubEnv('AWS_ENDPOINT_URL_SSM', undefined);
  vi.stubEnv('AWS_ENDPOINT_URL', standIn.url);
  expect((await read()).size).toBe(4);
});

test('all pages are read, and each token is sent once', async () => {
  const foreign = Object.fromEntries(
    Array.from({ length: 25 }, (_, i) => [`/PROD/REGISTRY/A${i}`, 'x']),
  );
  const standIn = await start({ parameters: { ...foreign, ...complete } });
  expect((await read()).size).toBe(4);
  expect(standIn.requests.map((request) => request.body.NextToken)).toEqual([
    undefined,
    'page-1',
    'page-2',
  ]);
});

test('an empty page with a token is not the end', async () => {
  const standIn = await start({ pages: [{}, complete, {}, {}] });
  expect((await read()).size).toBe(4);
  expect(standIn.requests).toHaveLength(4);
});

test('fifty parameters of other programs are dropped', async () => {
  const foreign = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`/PROD/REGISTRY/FOREIGN_${i}`, `foreign-${i}`]),
  );
  await start({ parameters: { ...foreign, ...complete } });
  expect([...(await read()).keys()].sort()).toEqual([
    'DB_HOST',
    'DB_NAME',
    'DB_PASSWORD',
    'DB_USER',
  ]);
});

test('a name outside of the path is dropped, even if the service sends it', async () => {
  await start({
    pages: [{ ...complete, '/DEMO/REGISTRY/DB_HOST': 'demo', DB_NAME: 'bare', '/DB_USER': 'root' }],
  });
  expect(Object.fromEntries(await read())).toMatchObject({
    DB_HOST: 'db.example.org',
    DB_NAME: 'registry',
    DB_USER: 'stats',
  });
});

test.each(['throttle', 'reset', 'an error 500'] as const)(
  'after %s the next attempt counts',
  async (kind) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const fault =
      kind === 'an error 500'
        ? { status: 500, type: 'InternalServerError', message: 'try again' }
        : kind;
    const standIn = await start({
      parameters: complete,
      fault: (attempt) => (attempt === 1 ? fault : undefined),
    });
    expect((await read()).size).toBe(4);
    expect(standIn.requests).toHaveLength(2);
  },
);

test('permanent throttling ends after five attempts', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const standIn = await start({ parameters: complete, fault: () => 'throttle' });
  expect(await failureOf(read({ timeoutMs: 40_000 }))).toEqual({
    code: 'PARAMETER_STORE_UNREACHABLE',
    message: `${place} could not be read: ThrottlingException, Rate exceeded`,
    hint: checkHint,
    exitCode: 4,
  });
  expect(standIn.requests).toHaveLength(5);
});

test('permanent throttling ends at an earlier deadline, and is named', async () => {
  await start({ parameters: complete, fault: () => 'throttle' });
  const before = performance.now();
  expect((await failureOf(read({ timeoutMs: 700 }))).message).toBe(
    `${place} could not be read: no complete response within 700 ms; last: ThrottlingException, Rate exceeded`,
  );
  expect(performance.now() - before).toBeLessThan(1_500);
});

test('access denied is reported at once, with the message of the service', async () => {
  const standIn = await start({ parameters: complete, fault: () => 'deny' });
  expect(await failureOf(read())).toEqual({
    code: 'PARAMETER_STORE_DENIED',
    message: `${place} may not be read: AccessDeniedException, User: arn:aws:sts::123456789012:assumed-role/stats/task is not authorized to perform: ssm:GetParametersByPath on resource: arn:aws:ssm:us-east-1:123456789012:parameter/PROD/REGISTRY/`,
    hint: 'Allow the role ssm:GetParametersByPath on /PROD/REGISTRY/ and kms:Decrypt on its key; check that its credentials are valid.',
    exitCode: 4,
  });
  expect(standIn.requests).toHaveLength(1);
});

test.each([
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'InvalidClientTokenId',
  'KMSAccessDeniedException',
  'InvalidKeyId',
])('%s counts as denied', async (type) => {
  await start({ fault: () => ({ status: 400, type, message: 'no' }) });
  expect(await failureOf(read())).toMatchObject({
    code: 'PARAMETER_STORE_DENIED',
    message: `${place} may not be read: ${type}, no`,
  });
});

test('another refusal is reported with the message of the service', async () => {
  const message = 'The path is\u001b[31m wrong';
  await start({ fault: () => ({ status: 400, type: 'ValidationException', message }) });
  expect(await failureOf(read())).toMatchObject({
    code: 'PARAMETER_STORE_UNREACHABLE',
    message: `${place} could not be read: ValidationException, The path is\\u001b[31m wrong`,
  });
});

test.each(['silence', 'half'] as const)('the deadline holds against %s', async (fault) => {
  await start({ parameters: complete, fault: () => fault });
  const before = performance.now();
  const failure = await failureOf(read({ timeoutMs: 600 }));
  expect(failure.code).toBe('PARAMETER_STORE_UNREACHABLE');
  expect(failure.message).toContain('no complete response within 600 ms');
  expect(performance.now() - before).toBeLessThan(1_500);
});

test.each(['silence', 'half', 'processing'] as const)(
  'a request with %s is aborted at half of the time, and sent again',
  async (kind) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const standIn = await start({
      parameters: complete,
      fault: (attempt) => (attempt === 1 ? kind : undefined),
    });
    expect((await read({ timeoutMs: 1_600 })).size).toBe(4);
    expect(standIn.requests).toHaveLength(2);
  },
);

test('no connection is left open, neither after success nor after the deadline', async () => {
  const standIn = await start({
    parameters: complete,
    fault: (attempt) => (attempt > 1 ? 'silence' : undefined),
  });
  await read();
  await vi.waitFor(async () => {
    expect(await standIn.connectionCount()).toBe(0);
  });
  await failureOf(read({ timeoutMs: 10_000, signal: AbortSignal.timeout(300) }));
  expect(standIn.requests).toHaveLength(2);
  await vi.waitFor(async () => {
    expect(await standIn.connectionCount()).toBe(0);
  });
});

test('a refused connection is reported with its code', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const standIn = await start({});
  await standIn.close();
  standIns = [];
  expect(await failureOf(read())).toEqual({
    code: 'PARAMETER_STORE_UNREACHABLE',
    message: `${place} could not be read: ECONNREFUSED`,
    hint: checkHint,
    exitCode: 4,
  });
});

test('a response that is not JSON is reported without its text, which contains the values', async () => {
  await start({ parameters: complete, fault: () => 'garbage' });
  const failure = await failureOf(read());
  expect(failure.message).toBe(`${place} could not be read: its response is not the expected JSON`);
  expect(JSON.stringify(failure)).not.toContain('pw-of');
});

test('a token that comes twice ends the reading', async () => {
  const standIn = await start({ pages: [complete], isTokenStuck: true });
  expect(await failureOf(read())).toEqual({
    code: 'PARAMETER_STORE_UNREACHABLE',
    message: `${place} could not be read: it returned the same NextToken twice`,
    hint: 'Its pages never end; check AWS_ENDPOINT_URL, and try again.',
    exitCode: 4,
  });
  expect(standIn.requests).toHaveLength(2);
});

test('a path without our settings has its own error', async () => {
  await start({ parameters: { '/PROD/REGISTRY/FOREIGN': 'x' } });
  expect(await failureOf(read())).toEqual({
    code: 'PARAMETER_STORE_EMPTY',
    message: `${place} holds none of our settings`,
    hint: 'Check AWS_REGION and SSM_PATH; expected names like /PROD/REGISTRY/DB_HOST. SSM_PATH=none skips Parameter Store.',
    exitCode: 4,
  });
});

test('a stop signal ends the reading at once', async () => {
  const standIn = await start({ parameters: complete, fault: () => 'silence' });
  const controller = new AbortController();
  const failure = failureOf(read({ signal: controller.signal }));
  await vi.waitFor(() => {
    expect(standIn.requests).toHaveLength(1);
  });
  controller.abort();
  expect((await failure).message).toBe(`${place} could not be read: reading was stopped`);
});

test('a signal aborted before the start sends no request', async () => {
  const standIn = await start({ parameters: complete });
  const failure = await failureOf(read({ signal: AbortSignal.abort() }));
  expect(failure.message).toBe(`${place} could not be read: reading was stopped`);
  expect(standIn.requests).toEqual([]);
});

test('missing credentials are reported, with what to do', async () => {
  const standIn = await start({ parameters: complete });
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  expect(await failureOf(read())).toEqual({
    code: 'PARAMETER_STORE_UNREACHABLE',
    message: `${place} could not be read: no AWS credentials were found`,
    hint: 'Provide AWS credentials (a task role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or set SSM_PATH=none.',
    exitCode: 4,
  });
  expect(standIn.requests).toEqual([]);
});

test('the deadline covers a metadata service that never responds', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await start({ parameters: complete });
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined);
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', `http://127.0.0.1:${port}`);
  const before = performance.now();
  const failure = await failureOf(read({ timeoutMs: 400 }));
  expect(failure.message).toBe(`${place} could not be read: no complete response within 400 ms`);
  expect(performance.now() - before).toBeLessThan(1_200);
  silent.close();
});

test('a user without a home directory is reported, not the network', () => {
  const message =
    'A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)';
  const fault = Object.assign(new Error(message), { syscall: 'uv_os_homedir' });
  const at = {
    path,
    region,
    timeoutMs: 1,
    isStopped: false,
    isTimedOut: false,
    lastFault: undefined,
  };
  const { message: found, hint } = toParameterStoreError(fault, at);

  const user = String(process.getuid?.());
  expect(found).toBe(
    `${place} could not be read: user ${user} has no home directory, and HOME is not set`,
  );
  expect(hint).toBe('Set HOME to any directory, for example HOME=/tmp.');
});

test('on a Node.js that the AWS SDK will drop, each command prints one line instead of eight', async () => {
  const { url } = await start({ parameters: complete });
  const env = { APT_ENV: 'production', AWS_ENDPOINT_URL_SSM: url };
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const { code, stderr } = await runCommand(['config'], { env: { ...env, ...credentials } });

  expect(code).toBe(0);
  const isDropped = Number.parseInt(process.versions.node, 10) < 22;
  expect(stderr).toBe(
    isDropped
      ? `from January 2027 the AWS SDK needs Node.js 22 or newer, found ${process.version}: upgrade Node.js\n`
      : '',
  );
});

test('the line about Node.js is returned once, for an old version only, unless it is turned off', () => {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
  vi.stubEnv(name, undefined);
  expect(replaceSdkWarning('v22.0.0')).toBeUndefined();
  expect(process.env[name]).toBeUndefined();
  expect(replaceSdkWarning('v20.19.0')).toContain('found v20.19.0');
  expect(process.env[name]).toBe('true');
  expect(replaceSdkWarning('v20.19.0')).toBeUndefined();
});

test('production reads its path, and the settings say so', async () => {
  const standIn = await start({ parameters: complete });
  const { config, settings } = await loadConfig({ env: { APT_ENV: 'production' }, cwd });
  expect(config.ssmPath).toBe(path);
  expect(config.db).toMatchObject({
    host: 'db.example.org',
    name: 'registry',
    user: 'stats',
    password: 'pw-of-the-store',
    useSsl: true,
  });
  expect(settings.find(({ key }) => key === 'DB_PASSWORD')).toMatchObject({
    value: '********',
    source: 'parameter store',
  });
  expect(JSON.stringify(settings)).not.toContain('pw-of');
  expect(standIn.requests.map((request) => request.body.Path)).toEqual([path]);
});

test("with DB_IAM_AUTH the password in the path, which is Registry's, is not used", async () => {
  await start({ parameters: complete });
  const env = { APT_ENV: 'production', DB_IAM_AUTH: 'true', DB_USER: 'stats_iam' };
  const { config } = await loadConfig({ env, cwd });
  expect(config.db).toMatchObject({ user: 'stats_iam', password: undefined, isIamAuth: true });
});

test.each([
  [{ APT_ENV: 'staging' }, '/STAGING/REGISTRY/', 'us-east-1'],
  [{ APT_ENV: 'demo', AWS_DEFAULT_REGION: 'eu-west-1' }, '/DEMO/REGISTRY/', 'eu-west-1'],
  [{ APT_ENV: 'dev', SSM_PATH: '/my/own', AWS_REGION: 'eu-west-2' }, '/my/own/', 'eu-west-2'],
])('%j reads the path %s in %s', async (env, expectedPath, expectedRegion) => {
  const parameters = Object.fromEntries(
    Object.entries(complete).map(([name, value]) => [name.replace(path, expectedPath), value]),
  );
  const standIn = await start({ parameters });
  const { config } = await loadConfig({ env, cwd });
  expect([config.ssmPath, config.awsRegion]).toEqual([expectedPath, expectedRegion]);
  expect(standIn.requests[0]?.body.Path).toBe(expectedPath);
  expect(standIn.requests[0]?.authorization).toContain(`/${expectedRegion}/ssm/`);
});

test('settings that say how to read the path are never read from the path', async () => {
  const local = { APT_ENV: 'dev', SSM_PATH: '/x/', SSM_TIMEOUT: '1h', AWS_REGION: 'eu-west-1' };
  const parameters: Record<string, string> = { ...complete };
  for (const [key, value] of Object.entries(local)) parameters[`${path}${key}`] = value;
  await start({ parameters });
  const { config, settings } = await loadConfig({ env: { APT_ENV: 'production' }, cwd });
  expect([config.aptEnv, config.ssmPath, config.awsRegion]).toEqual([
    'production',
    path,
    'us-east-1',
  ]);
  expect(settings.find(({ key }) => key === 'SSM_TIMEOUT')?.value).toBe('10s');
});

test('SSM_PATH=none sends no request', async () => {
  const standIn = await start({ parameters: complete });
  const env = { APT_ENV: 'production', SSM_PATH: 'none' };
  expect((await failureOf(loadConfig({ env, cwd }))).code).toBe('SETTINGS_INVALID');
  expect(standIn.requests).toEqual([]);
});

test('a required setting that the path lacks is a fault of Parameter Store', async () => {
  await start({ parameters: completeWithout('DB_NAME', 'DB_USER') });
  expect(await failureOf(loadConfig({ env: { APT_ENV: 'production' }, cwd }))).toEqual({
    code: 'PARAMETER_STORE_INCOMPLETE',
    message: `${place} lacks DB_NAME, DB_USER; no other source has it`,
    hint: 'Create /PROD/REGISTRY/DB_NAME, /PROD/REGISTRY/DB_USER, or set the same names in the environment.',
    exitCode: 4,
  });
});

test('a missing setting and a wrong one are listed together', async () => {
  await start({ parameters: { ...completeWithout('DB_NAME'), '/PROD/REGISTRY/DB_PORT': 'x' } });
  expect(await failureOf(loadConfig({ env: { APT_ENV: 'production' }, cwd }))).toMatchObject({
    code: 'SETTINGS_INVALID',
    message: [
      '2 problems with the settings:',
      '  DB_PORT (parameter store): expected a whole number from 1 to 65535, found "x"',
      '  DB_NAME: expected a value (required in production), found none in environment, parameter store, .env.production, .env',
    ].join('\n'),
    exitCode: 3,
  });
});

test('a wrong path is not read, and no setting is called missing', async () => {
  const standIn = await start({ parameters: complete });
  const env = { APT_ENV: 'production', AWS_REGION: 'US East' };
  expect((await failureOf(loadConfig({ env, cwd }))).message).toBe(
    [
      '1 problem with the settings:',
      '  AWS_REGION (environment): expected a region like us-east-1, found "US East"',
    ].join('\n'),
  );
  expect(standIn.requests).toEqual([]);
});

/** `npm run test:hostile` sets more. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 200);

/** Secrets and settings of others: no error may quote them. */
const quoted = fc.record({
  Name: fc.constantFrom(`${path}DB_PASSWORD`, `${path}SYSTEM_USER`, '/OTHER/DB_HOST'),
  Value: fc.oneof(fc.constant('pw-§-pw'), fc.constant('pw-§-pw\n'), fc.constant(['pw-§-pw'])),
});
const json = fc.json().map((text) => text.replaceAll('§', ''));
const ours = fc
  .tuple(fc.constantFrom(...Object.keys(complete)), json)
  .map(([Name, Value]) => ({ Name, Value: JSON.parse(Value) as unknown }));

/** Almost valid responses: the right form, with any value. */
const hostileResponse = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  json,
  fc
    .record(
      { Parameters: fc.array(fc.oneof(quoted, ours, fc.jsonValue())), NextToken: fc.jsonValue() },
      { requiredKeys: ['Parameters'] },
    )
    .map((response) => JSON.stringify(response)),
  quoted.map((one) => `{"Parameters":[${JSON.stringify(one)}`),
);

test(
  `${String(numRuns)} random responses: settings, or an error that quotes none of them`,
  { timeout: 60_000 + numRuns * 100 },
  async () => {
    let raw: string | Uint8Array = '';
    let status = 200;
    await start({ fault: (attempt) => ({ status, raw: attempt % 2 === 1 ? raw : '{}' }) });
    const env = { APT_ENV: 'production', SSM_TIMEOUT: '5s' };
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(hostileResponse, fc.constantFrom(200, 400), async (response, code) => {
        raw = response;
        status = code;
        const error = await loadConfig({ env, cwd }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) return;
        if (!(error instanceof AppError)) throw new Error('expected an AppError', { cause: error });
        codes.add(error.code);
        expect(error.message + (error.hint ?? '')).not.toContain('§');
        expect(error.cause).toBeUndefined();
      }),
      { numRuns, ...(process.env['SEED'] && { seed: Number(process.env['SEED']) }) },
    );
    for (const code of codes) expect(code).toMatch(/^(PARAMETER_STORE_|SETTINGS_INVALID)/);
  },
);

const pageCount = Math.min(1_000, numRuns);

test(`${String(pageCount)} pages are read to the last`, async () => {
  const others = Array.from({ length: pageCount - 1 }, (_, page) => ({
    [`${path}OTHER_${page}`]: 'x',
  }));
  const standIn = await start({ pages: [...others, complete] });
  expect((await read({ timeoutMs: 60_000 })).get('DB_HOST')).toBe('db.example.org');
  expect(standIn.requests).toHaveLength(pageCount);
});

test('pages without end, each with a new token, end at the deadline', async () => {
  let page = 0;
  await start({
    fault: () => ({ status: 200, raw: JSON.stringify({ NextToken: `page-${String(++page)}` }) }),
  });
  expect(await failureOf(read({ timeoutMs: 500 }))).toMatchObject({
    code: 'PARAMETER_STORE_UNREACHABLE',
    message: `${place} could not be read: no complete response within 500 ms`,
  });
  expect(page).toBeGreaterThan(1);
});

test('a response of one byte at a time ends at the deadline', async () => {
  await start({ fault: () => ({ status: 200, raw: '{'.padEnd(10_000), isDripped: true }) });
  expect(await failureOf(read({ timeoutMs: 500 }))).toMatchObject({
    code: 'PARAMETER_STORE_UNREACHABLE',
  });
});

test('a response of 20 MB is read, and a value that is too long is refused', async () => {
  const value = 'x'.repeat(20 * 1024 * 1024);
  await start({ parameters: { ...complete, [`${path}DB_NAME`]: value } });
  const error = await failureOf(loadConfig({ env: { APT_ENV: 'production' }, cwd }));
  expect(error).toMatchObject({ code: 'SETTINGS_INVALID', exitCode: 3 });
  expect(error.message.length).toBeLessThan(500);
});

test.each([301, 302, 307, 308])(
  'a redirect (%i) is not followed with credentials',
  async (status) => {
    const other = await startSsmStandIn({ parameters: complete });
    standIns.push(other);
    await start({ fault: () => ({ status, raw: '{}', location: other.url }) });
    expect(await failureOf(read())).toMatchObject({ code: 'PARAMETER_STORE_UNREACHABLE' });
    expect(other.requests).toEqual([]);
  },
);
