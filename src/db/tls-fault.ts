/** Why there is no verified TLS connection, and the fix. */
interface TlsFault {
  readonly found: string;
  readonly hint: string;
}

const hints = {
  plain: 'turn on `ssl` at the server; DB_USE_SSL=false would connect in plain text',
  trust:
    'set DB_SSL_CA to a PEM file of the authority that signed the certificate; ' +
    'without it those of RDS and of Node.js are trusted',
  time: 'renew the certificate of the server, and check both clocks',
  name: 'set DB_HOST to a name or an address that the certificate is valid for',
  protocol: 'TLS 1.2 or newer is needed: check `ssl_min_protocol_version` and the ciphers',
} as const;

/** Messages of pg that have no code. */
const driverMessages: ReadonlyMap<string, TlsFault> = new Map([
  [
    'The server does not support SSL connections',
    { found: 'a server without TLS', hint: hints.plain },
  ],
  [
    'There was an error establishing an SSL connection',
    {
      found: 'a reply that is not TLS',
      hint: 'check DB_HOST and DB_PORT, and any proxy in between',
    },
  ],
]);

/** Codes of Node.js and of OpenSSL's verification. */
const hintsByCode: readonly (readonly [RegExp, string])[] = [
  [/^ERR_TLS_CERT_ALTNAME|^HOSTNAME_MISMATCH$/, hints.name],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, hints.time],
  [/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_(CA|PURPOSE)$|PATH_LENGTH)/, hints.trust],
  [/^(EPROTO$|ERR_SSL_|ERR_TLS_)/, hints.protocol],
];

/** Returns the TLS reason of a driver error; undefined for any other error. */
export function findTlsFault(error: unknown): TlsFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return driverMessages.get(error.message);
  const [, hint] = hintsByCode.find(([pattern]) => pattern.test(code)) ?? [];
  return hint === undefined ? undefined : { found: `${reasonIn(error)} (${code})`, hint };
}

/** Returns only OpenSSL's reason from a line of its error queue. */
function reasonIn({ message }: Error): string {
  return /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
}
