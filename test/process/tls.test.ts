import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAuthority, type Authority, type Certificate } from '../support/certificates.js';
import { startImpostor } from '../support/impostor.js';
import { runCommand, startDaemon, type Environment, type Program } from '../support/program.js';
import { messages, noSchedule, untilRuns } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { startTlsPostgres, type TlsPostgres } from '../support/tls-postgres.js';

let server: TlsPostgres;
let authority: Authority;
let caFile: string;
let directory: string;

beforeAll(async () => {
  server = await startTlsPostgres();
  await server.migrate();
  directory = await mkdtemp(path.join(tmpdir(), 'registry-stats-ca-'));
});

beforeEach(async () => {
  authority = createAuthority();
  caFile = path.join(directory, 'ca.pem');
  await writeFile(caFile, authority.cert);
  await server.present(good());
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

function good(): Certificate {
  return authority.issue({ hosts: ['127.0.0.1'] });
}

function expired(): Certificate {
  return authority.issue({ hosts: ['127.0.0.1'], to: new Date(Date.now() - 1_000) });
}

function environment(): Environment {
  return {
    APT_ENV: 'test',
    DB_HOST: server.host,
    DB_PORT: String(server.port),
    DB_NAME: 'postgres',
    DB_USER: server.user,
    DB_PASSWORD: server.password,
    DB_USE_SSL: 'true',
    DB_SSL_CA: caFile,
    ...noSchedule,
  };
}

function expectedAt(found: string, port = server.port): string {
  return `expected PostgreSQL at 127.0.0.1:${port} to prove its identity by TLS, found: ${found}`;
}

const hasExpired = 'certificate has expired (CERT_HAS_EXPIRED)';

test.each(['start', 'status', 'refresh', 'verify', 'migrate', 'reset --confirm postgres'])(
  '%s ends with 5 and one message if the certificate is not accepted',
  async (line) => {
    await server.present(expired());
    const { code, stdout, stderr } = await runCommand(line.split(' '), { env: environment() });

    expect(stderr).toBe(
      `registry-stats: DATABASE_UNVERIFIED: ${expectedAt(hasExpired)}\n` +
        '  hint: renew the certificate of the server, and check both clocks\n',
    );
    expect([code, stdout]).toEqual([5, '']);
  },
);

test('no variable of Node.js or PostgreSQL turns the check off', async () => {
  const impostors = createAuthority('Impostors');
  await writeFile(path.join(directory, 'impostors.pem'), impostors.cert);
  const impostor = await startImpostor('S', impostors.issue({ hosts: ['127.0.0.1'] }));
  const { code, stderr } = await runCommand(['status'], {
    env: {
      ...environment(),
      DB_PORT: String(impostor.port),
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NODE_EXTRA_CA_CERTS: path.join(directory, 'impostors.pem'),
      PGSSLMODE: 'disable',
    },
  });

  const found = 'unable to verify the first certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';
  expect(stderr).toContain(`DATABASE_UNVERIFIED: ${expectedAt(found, impostor.port)}\n`);
  expect(code).toBe(5);
  expect(await impostor.heard()).toBe('');
});

test('a server that requires TLS is refused with the setting to change', async () => {
  await server.admit('hostnossl all all all reject');
  const env = { ...environment(), DB_USE_SSL: 'false', DB_SSL_CA: '' };
  const { code, stderr } = await runCommand(['status'], { env });
  await server.admit('');

  expect(stderr).toMatch(/^registry-stats: DATABASE_REFUSED: PostgreSQL at 127.0.0.1:\d+ refused/);
  expect(stderr).toContain('\n  hint: the server requires TLS: set DB_USE_SSL=true\n');
  expect(code).toBe(5);
});

/** Ends the sessions, as a restart of the server would. */
async function endConnections(): Promise<void> {
  await server.admin.query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where application_name = 'registry-stats'`,
  );
}

async function rotate(certificate: Certificate): Promise<void> {
  await server.present(certificate);
  await endConnections();
}

async function readiness(daemon: Program): Promise<string> {
  const { statusUrl = '' } = await daemon.untilLine('started;');
  const env = { APT_ENV: 'test', STATUS_PORT: new URL(statusUrl).port };
  const { code, stdout, stderr } = await runCommand(['health', '--ready'], { env });
  return `${code} ${stdout}${stderr}`.trim();
}

test('a certificate that becomes invalid fails the runs with the same message, until it is valid', async () => {
  const daemon = await startDaemon({ env: environment() });
  await untilRuns(daemon, 'start');
  await rotate(expired());
  daemon.kill('SIGUSR2');
  const runs = await untilRuns(daemon, 'signal');
  expect(runs.map(([, outcome, reason]) => [outcome, reason])).toEqual(
    Array(3).fill(['failed', expectedAt(hasExpired)]),
  );
  // A connection from before the rotation may still read the state: then the failed run is the reason.
  const notReady = '9 registry-stats: UNHEALTHY: the daemon is not ready: ';
  expect([notReady, `${notReady}update_counts failed: `]).toContain(
    (await readiness(daemon)).replace(expectedAt(hasExpired), ''),
  );

  await rotate(good());
  daemon.kill('SIGUSR2');
  const outcomes = (await untilRuns(daemon, 'signal', 2)).slice(3).map(([, outcome]) => outcome);
  expect(outcomes).not.toContain('failed');
  // The status port shares an answer, a failure too, for a second.
  await expect.poll(() => readiness(daemon), { timeout: 10_000 }).toBe('0 ready');
});

test('SIGHUP loads another authority from the same file, and refuses a broken one', async () => {
  const daemon = await startDaemon({ env: environment() });
  await untilRuns(daemon, 'start');
  authority = createAuthority('The next authority');
  await rotate(good());
  daemon.kill('SIGHUP');
  const refused = await daemon.untilLine('settings not reloaded');
  const found = 'unable to verify the first certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';
  expect(refused.msg).toBe(`settings not reloaded, the old ones stay: ${expectedAt(found)}`);

  await writeFile(caFile, authority.cert.slice(0, 300));
  daemon.kill('SIGHUP');
  await daemon.untilLine('(it contains none)');

  await writeFile(caFile, authority.cert);
  daemon.kill('SIGHUP');
  const reloaded = await daemon.untilLine('settings reloaded, 1 changed');
  expect(reloaded['changed']).toEqual(['DB_SSL_CA']);
  daemon.kill('SIGUSR2');
  const runs = await untilRuns(daemon, 'signal');
  expect(runs.map(([, outcome]) => outcome)).not.toContain('failed');
  expect(messages(daemon, 'error')).toHaveLength(2);
});

test('a server that returns from an outage with an invalid certificate is logged once', async () => {
  const proxy = await startTcpProxy({ host: server.host, port: server.port });
  const env = { ...environment(), DB_PORT: String(proxy.port), RETRY_ATTEMPTS: '0' };
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  await proxy.cut();
  daemon.kill('SIGUSR2');
  await daemon.untilLine('the database does not respond');
  await server.present(expired());
  await proxy.restore();
  await daemon.untilLine(expectedAt(hasExpired, proxy.port));

  await server.present(good());
  await daemon.untilLine('the database is back');
  const runs = await untilRuns(daemon, 'recovery');
  expect(runs.map(([, outcome]) => outcome)).not.toContain('failed');
  expect(messages(daemon, 'error')).toHaveLength(2);
});
