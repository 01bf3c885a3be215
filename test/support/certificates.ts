import { generateKeyPairSync, randomInt, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Signs certificates. */
export interface Authority {
  /** PEM. */
  readonly cert: string;
  issue(options?: LeafOptions): Certificate;
}

interface LeafOptions {
  /** The names and IP addresses it is valid for. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
}

const day = 86_400_000;

/**
 * Creates an authority for a test. Node cannot create certificates, and openssl may be missing. So
 * this encodes them in DER, as in RFC 5280.
 */
export function createAuthority(name = 'Test authority'): Authority {
  const keys = createKeys();
  const issuer = { name, key: keys.privateKey };
  return {
    cert: issueCertificate({ subject: name, issuer, publicKey: keys.publicKey, isAuthority: true }),
    issue: (options = {}) => {
      const { publicKey, privateKey } = createKeys();
      const cert = issueCertificate({ subject: 'server', issuer, publicKey, ...options });
      return { cert, key: pemOf(privateKey) };
    },
  };
}

/** Creates a self-signed certificate. */
export function selfSigned(options: LeafOptions = {}): Certificate {
  const { publicKey, privateKey } = createKeys();
  const issuer = { name: 'server', key: privateKey };
  const cert = issueCertificate({ subject: 'server', issuer, publicKey, ...options });
  return { cert, key: pemOf(privateKey) };
}

function createKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

interface Request extends LeafOptions {
  readonly subject: string;
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  readonly publicKey: KeyObject;
  readonly isAuthority?: boolean;
}

function issueCertificate(request: Request): string {
  const { subject, issuer, publicKey, isAuthority = false } = request;
  const {
    hosts = [],
    from = new Date(Date.now() - day),
    to = new Date(Date.now() + day),
  } = request;
  const extensions = [
    extension('551d13', true, sequence(...(isAuthority ? [tagged(0x01, [0xff])] : []))),
    ...(hosts.length === 0 ? [] : [extension('551d11', false, sequence(...hosts.map(hostName)))]),
  ];
  const body = sequence(
    tagged(0xa0, tagged(0x02, [2])),
    tagged(0x02, [randomInt(1, 0x7f), ...Buffer.from(String(randomInt(1e9)))]),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(time(from), time(to)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuer.key);
  const whole = sequence(body, ecdsaWithSha256, tagged(0x03, [0], signature));
  const lines = whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Encodes a DER value: tag, length, content. */
function tagged(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...parts);
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'));

/** Returns a distinguished name with a common name only. */
function nameOf(commonName: string): Buffer {
  const attribute = sequence(objectId('550403'), tagged(0x0c, Buffer.from(commonName)));
  return sequence(tagged(0x31, attribute));
}

function time(moment: Date): Buffer {
  const digits = moment.toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tagged(0x01, [0xff])] : [];
  return sequence(objectId(id), ...critical, tagged(0x04, value));
}

/** Encodes a DNS name or an IPv4 address as subject alternative name. */
function hostName(host: string): Buffer {
  return isIP(host) === 4
    ? tagged(0x87, host.split('.').map(Number))
    : tagged(0x82, Buffer.from(host));
}
