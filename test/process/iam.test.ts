import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { createContext, type Context } from '../../src/context.js';
import { createAuthority, type Certificate } from '../support/certificates.js';
import { startImpostor } from '../support/impostor.js';
import { runCommand, startDaemon, type Environment } from '../support/program.js';
import { startRdsStandIn, type RdsStandIn } from '../support/rds-stand-in.js';
import { noSchedule, runsOf, untilRuns } from '../support/runs.js';
import { eventually } from '../support/slow-job.js';
import { startTlsPostgres, type TlsPostgres } from '../support/tls-postgres.js';

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'FwoGZXIvYXdzEXAMPLE//+==',
};
const region = 'eu-central-1';

let server: TlsPostgres;
let rds: RdsStandIn;
let certificate: Certificate;
let directory: string;

beforeAll(async () => {
  server = await startTlsPostgres();
  await server.migrate();
  await server.admit('host all all 127.0.0.1/32 trust');
  const authority = createAuthority();
  certificate = authority.issue({ hosts: ['localhost'] });
  directory = await mkdtemp(path.join(tmpdir(), 'registry-stats-iam-'));
  await writeFile(path.join(directory, 'ca.pem'), authority.cert);
});

/** On Node.js 20 a line of its own precedes the message. */
function withoutSdkWarning(stderr: string): string {
  return stderr.replace(/^\[.*\] WARN: from January 2027 the AWS SDK needs Node\.js 22 .*\n/, '');
}

beforeEach(async () => {
  rds = await startRdsStandIn({ certificate, upstream: server, credentials, region });
});

afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await rds.close();
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

function environment(): Environment {
  return {
    APT_ENV: 'test',
    DB_HOST: 'localhost',
    DB_PORT: String(rds.port),
    DB_NAME: 'postgres',
    DB_USER: server.user,
    DB_USE_SSL: 'true',
    DB_SSL_CA: path.join(directory, 'ca.pem'),
    DB_IAM_AUTH: 'true',
    AWS_REGION: region,
    ...awsEnvironment,
    ...noSchedule,
  };
}

const awsEnvironment = {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: credentials.sessionToken,
};

async function contextOf(more: Environment = {}): Promise<Context> {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value);
  vi.stubEnv('AWS_PROFILE', undefined);
  const context = await createContext({
    env: { ...environment(), LOG_LEVEL: 'silent', LOG_FORMAT: 'json', ...more },
    cwd: directory,
    output: new PassThrough() as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  });
  onTestFinished(() => context.release());
  return context;
}

test('each connection uses a new token, so none is too old', async () => {
  const { database } = await contextOf();
  vi.useFakeTimers({ toFake: ['Date'] });
  await database.read('select');
  const [first = ''] = rds.tokens;
  expect(rds.judge(first, server.user)).toBeUndefined();

  vi.setSystemTime(Date.now() + 16 * 60_000);
  expect(rds.judge(first, server.user)).toMatch(/^age: 9\d\d s$/);
  // The open connection stays valid; a second connection needs a second token.
  await database.readSnapshot({ statementTimeoutMs: 0, lockTimeoutMs: 0 }, () =>
    database.read('select'),
  );
  const [, second = ''] = rds.tokens;
  expect(rds.tokens).toHaveLength(2);
  expect(rds.judge(second, server.user)).toBeUndefined();
});

test('cancelling a run at the stop uses a token too, and no secret is printed', async () => {
  await server.admin.query('begin; lock table registry_stats.job in access exclusive mode');
  onTestFinished(() => void server.admin.query('rollback'));
  const env = {
    ...environment(),
    LOCK_TIMEOUT: '2m',
    LOG_LEVEL: 'trace',
    LOG_SQL: 'true',
    SHUTDOWN_TIMEOUT: '1s',
  };
  const daemon = await startDaemon({ env });
  await eventually('a run that waits', async () => {
    const { rowCount } = await server.admin.query('select from pg_locks where not granted');
    return rowCount !== 0;
  });
  const before = rds.tokens.length;
  daemon.kill('SIGTERM');
  await daemon.until('a cancelled run', () => runsOf(daemon.lines, 'start')[0]);
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });

  expect(rds.tokens.length).toBeGreaterThan(before);
  expect(runsOf(daemon.lines, 'start').map(([, outcome]) => outcome)).toContain('cancelled');
  const output = daemon.stdout + daemon.stderr;
  for (const secret of [...rds.tokens, ...Object.values(credentials).slice(1), 'X-Amz-']) {
    expect(output).not.toContain(secret);
  }
  expect(new Set(rds.tokens.map((token) => rds.judge(token, server.user)))).toEqual(
    new Set([undefined]),
  );
});

test('the daemon works with tokens alone', async () => {
  const daemon = await startDaemon({ env: environment() });
  const runs = await untilRuns(daemon, 'start');
  expect(runs.map(([, outcome]) => outcome)).not.toContain('failed');
  expect(rds.tokens.length).toBeGreaterThan(0);
});

test.each([
  ['AWS_REGION', 'us-west-2'],
  ['AWS_SECRET_ACCESS_KEY', 'another'],
  ['AWS_SESSION_TOKEN', 'expired'],
])('a token with another %s is refused in one message', async (name, value) => {
  const env = { ...environment(), [name]: value };
  const { code, stdout, stderr } = await runCommand(['status'], { env });

  expect(withoutSdkWarning(stderr)).toBe(
    `registry-stats: DATABASE_REFUSED: PostgreSQL at localhost:${rds.port} refused user ` +
      `"${server.user}" on database "postgres": ` +
      `PAM authentication failed for user "${server.user}" (28000)\n` +
      '  hint: check DB_NAME, that DB_USER may use rds_iam and the AWS role rds-db:connect, that ' +
      `the AWS credentials have not expired, AWS_REGION (${env['AWS_REGION'] ?? ''}), and the clock\n`,
  );
  expect([code, stdout]).toEqual([5, '']);
});

test('without credentials the message names what is missing', async () => {
  const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
  const { code, stderr } = await runCommand(['status'], {
    env: { ...environment(), ...none, AWS_EC2_METADATA_DISABLED: 'true' },
  });

  expect(withoutSdkWarning(stderr)).toBe(
    `registry-stats: IAM_TOKEN_UNAVAILABLE: expected an IAM token for role "${server.user}", ` +
      'found: no AWS credentials\n' +
      '  hint: provide AWS credentials (a task role, or AWS_ACCESS_KEY_ID and ' +
      'AWS_SECRET_ACCESS_KEY), or set DB_IAM_AUTH=false and DB_PASSWORD\n',
  );
  expect(code).toBe(5);
  expect(rds.tokens).toEqual([]);
});

test('a source of credentials that never responds times out, and is named', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const sockets: Socket[] = [];
  silent.on('connection', (socket) => sockets.push(socket));
  const { port } = silent.address() as AddressInfo;
  const { database } = await contextOf({ DB_CONNECT_TIMEOUT: '4s' });
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/`);
  await expect(database.read('select')).rejects.toMatchObject({
    code: 'IAM_TOKEN_UNAVAILABLE',
    message:
      `expected an IAM token for role "${server.user}", ` +
      'found: no response from the source of AWS credentials within 2 s',
  });
  expect(rds.tokens).toEqual([]);
  silent.close();
  for (const socket of sockets) socket.destroy();
});

test('no token is sent to a server whose certificate is not accepted', async () => {
  const impostor = await startImpostor('S', createAuthority().issue({ hosts: ['localhost'] }));
  const env = { ...environment(), DB_PORT: String(impostor.port) };
  const { code, stderr } = await runCommand(['status'], { env });

  expect(withoutSdkWarning(stderr)).toMatch(/^registry-stats: DATABASE_UNVERIFIED: /);
  expect(code).toBe(5);
  expect(await impostor.heard()).toBe('');
});
