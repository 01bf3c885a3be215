import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Certificate } from './certificates.js';
import { passwordRequest } from './impostor.js';

interface RdsStandInOptions {
  readonly certificate: Certificate;
  /** A PostgreSQL without authentication: this stand-in checks the token. */
  readonly upstream: { readonly host: string; readonly port: number };
  readonly credentials: AwsCredentials;
  readonly region: string;
}

interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Simulates RDS with IAM authentication. */
export interface RdsStandIn {
  readonly port: number;
  /** Every password received, in order. */
  readonly tokens: string[];
  /** Returns why a token is refused, or undefined. */
  judge(token: string, user: string): string | undefined;
  close(): Promise<void>;
}

const sslRequest = 80_877_103;
const cancelRequest = 80_877_102;

export async function startRdsStandIn(options: RdsStandInOptions): Promise<RdsStandIn> {
  const tokens: string[] = [];
  const sockets = new Set<Socket>();
  const judge = (token: string, user: string): string | undefined =>
    faultOf(token, { ...options, user, host: `localhost:${port}` });

  const serve = async (socket: Socket): Promise<void> => {
    if ((await read(socket, 8)).readInt32BE(4) !== sslRequest) throw new Error('plain text');
    socket.write('S');
    const secure = new TLSSocket(socket, { isServer: true, ...options.certificate });
    secure.on('error', () => secure.destroy());
    const startup = await readMessage(secure);
    if (startup.readInt32BE(4) !== cancelRequest) {
      secure.write(passwordRequest);
      await read(secure, 1);
      const token = (await readMessage(secure)).toString('latin1', 4).replace(/\0$/, '');
      tokens.push(token);
      const user = /\0user\0([^\0]*)\0/.exec(`\0${startup.toString('latin1', 8)}`)?.[1] ?? '';
      if (judge(token, user) !== undefined) {
        secure.end(refusalOf(user));
        return;
      }
    }
    const upstream = connect(options.upstream);
    upstream.on('error', () => secure.destroy());
    secure.on('close', () => upstream.destroy());
    upstream.write(startup);
    secure.pipe(upstream).pipe(secure);
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket).catch(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    tokens,
    judge,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Returns RDS's error message, the same for any fault of a token. */
function refusalOf(user: string): Buffer {
  const message = `PAM authentication failed for user "${user}"`;
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28000\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

async function read(stream: Socket, size: number): Promise<Buffer> {
  for (;;) {
    const bytes = stream.read(size) as Buffer | null;
    if (bytes !== null) return bytes;
    if (stream.destroyed || stream.readableEnded) throw new Error('the client hung up');
    await Promise.race([once(stream, 'readable'), once(stream, 'close')]);
  }
}

/** Reads a message without a type: its length comes first. */
async function readMessage(stream: Socket): Promise<Buffer> {
  const length = await read(stream, 4);
  return Buffer.concat([length, await read(stream, length.readInt32BE(0) - 4)]);
}

interface Expected extends RdsStandInOptions {
  readonly user: string;
  readonly host: string;
}

/** Computes AWS Signature Version 4 of a presigned request again. */
function faultOf(token: string, { credentials, region, user, host }: Expected): string | undefined {
  const url = new URL(`https://${token}`);
  const given = url.searchParams.get('X-Amz-Signature') ?? '';
  url.searchParams.delete('X-Amz-Signature');
  const date = url.searchParams.get('X-Amz-Date') ?? '';
  const scope = `${date.slice(0, 8)}/${region}/rds-db/aws4_request`;
  const wanted = {
    Action: 'connect',
    DBUser: user,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Expires': '900',
    'X-Amz-Security-Token': credentials.sessionToken,
  };
  for (const [name, value] of Object.entries(wanted)) {
    const found = url.searchParams.get(name);
    if (found !== value) return `${name}: expected ${value}, found ${found}`;
  }
  if (url.host !== host) return `host: expected ${host}, found ${url.host}`;
  const signedAt = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const ageMs = Date.now() - signedAt;
  if (!(Math.abs(ageMs) < 900_000)) return `age: ${Math.round(ageMs / 1_000)} s`;

  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const request = ['GET', '/', query, `host:${host}`, '', 'host', sha256('')].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n');
  const key = [date.slice(0, 8), region, 'rds-db', 'aws4_request'].reduce<string | Buffer>(
    (previous, part) => hmac(previous, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  return hmac(key, text).toString('hex') === given ? undefined : 'signature';
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
