import { AppError } from '../../errors.js';

const ownServer = 'set DB_HOST to use a PostgreSQL server of your own';

/** The one error of this directory; the way out that always works ends its hint. */
export function unavailable(message: string, options: { hint?: string; cause?: unknown } = {}) {
  const hint = options.hint === undefined ? ownServer : `${options.hint}, or ${ownServer}`;
  return new AppError('EMBEDDED_UNAVAILABLE', message, { hint, cause: options.cause });
}

/** The `code` of a system error or the SQLSTATE of a server error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
