import { AppError } from '../../errors.js';

const ownServer = 'set DB_HOST to use a PostgreSQL server of your own';

/** Returns the error of the embedded server, with a hint that always works. */
export function unavailable(message: string, options: { hint?: string; cause?: unknown } = {}) {
  const hint = options.hint === undefined ? ownServer : `${options.hint}, or ${ownServer}`;
  return new AppError('EMBEDDED_UNAVAILABLE', message, { hint, cause: options.cause });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
