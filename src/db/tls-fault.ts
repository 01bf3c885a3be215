/** Why no verified TLS connection came about, and what to do about it. */
export interface TlsFault {
  readonly found: string;
  readonly hint: string;
}

const hints = {
  plain: 'turn on `ssl` at the server; only DB_USE_SSL=false does without, in plain text',
  trust:
    'set DB_SSL_CA to a PEM file of the authority that signed the certificate; ' +
    'without it those of RDS and of Node.js are trusted',
  time: 'renew the certificate of the server, and check both clocks',
  name: 'set DB_HOST to a name or an address that the certificate is valid for',
  protocol: 'TLS 1.2 or newer is needed: check `ssl_min_protocol_version` and the ciphers',
} as const;

/** What pg says without a code. */
const driverMessages: ReadonlyMap<string, TlsFault> = new Map([
  [
    'The server does not support SSL connections',
    { found: 'a server without TLS', hint: hints.plain },
  ],
  [
    'There was an error establishing an SSL connection',
    {
      found: 'an answer that is none to a request for TLS',
      hint: 'check DB_HOST and DB_PORT, and what stands between here and the server',
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

/** The reason in an error of the driver; undefined when it is another one than TLS. */
export function findTlsFault(error: unknown): TlsFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return driverMessages.get(error.message);
  const [, hint] = hintsByCode.find(([pattern]) => pattern.test(code)) ?? [];
  return hint === undefined ? undefined : { found: `${reasonIn(error)} (${code})`, hint };
}

/** OpenSSL's reason alone, where the message is a line of its error queue. */
function reasonIn({ message }: Error): string {
  return /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
}
