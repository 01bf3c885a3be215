import { AppError } from '../errors.js';
import { findPoolerRefusal } from './pooler-refusal.js';

/** The SQLSTATE codes that this program tells apart, by their names in PostgreSQL's documentation. */
export const sqlstate = {
  protocolViolation: '08P01',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  cannotConnectNow: '57P03',
  tooManyConnections: '53300',
  readOnlyTransaction: '25006',
  insufficientPrivilege: '42501',
  undefinedTable: '42P01',
  undefinedFunction: '42883',
  invalidSchemaName: '3F000',
  invalidPassword: '28P01',
  invalidAuthorization: '28000',
  invalidCatalogName: '3D000',
  objectNotInPrerequisiteState: '55000',
  dependentObjectsStillExist: '2BP01',
} as const;

const lostConnection: ReadonlySet<string> = new Set([
  sqlstate.adminShutdown,
  sqlstate.crashShutdown,
  sqlstate.cannotConnectNow,
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  // Of PgBouncer, which is still there when its server is not; what it refuses is looked at apart.
  sqlstate.protocolViolation,
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** To these pg gives no code; the second tells of a connection that was lost between statements. */
const driverMessages =
  /^Connection terminated|^Client (has encountered|was closed)|^(Query read )?timeout/i;

const conflicts: ReadonlySet<string> = new Set([
  sqlstate.serializationFailure,
  sqlstate.deadlockDetected,
  sqlstate.lockNotAvailable,
]);

const retryable: ReadonlySet<string> = new Set([...conflicts, sqlstate.tooManyConnections]);

/** The SQLSTATE or system error code of an error, or undefined. */
export function errorCodeOf(error: unknown): string | undefined {
  if (error instanceof AppError) return errorCodeOf(error.cause);
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether the connection is gone, or could not be made because no server answers. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'DATABASE_UNREACHABLE';
  if (findPoolerRefusal(error) !== undefined) return false;
  if (lostConnection.has(errorCodeOf(error) ?? '')) return true;
  const message = error instanceof Error ? error.message : '';
  return driverMessages.test(message);
}

/** Whether the server takes no writes: a standby, or one that is not to be written to. */
export function isReadOnly(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'DATABASE_READ_ONLY';
  return errorCodeOf(error) === sqlstate.readOnlyTransaction;
}

/** Whether the server refused the connection: the password, the role or the database is wrong. */
export function isRefused(error: unknown): boolean {
  return error instanceof AppError && error.code === 'DATABASE_REFUSED';
}

/** Whether no run can succeed at present because of the state of the server. */
export function isUnavailable(error: unknown): boolean {
  return isConnectionLost(error) || isReadOnly(error) || isRefused(error);
}

/** Whether the same transaction may succeed when it is tried again. */
export function isTransient(error: unknown): boolean {
  return isUnavailable(error) || retryable.has(errorCodeOf(error) ?? '');
}

/** Whether somebody else's lock was in the way: worth another try a little later. */
export function isConflict(error: unknown): boolean {
  return conflicts.has(errorCodeOf(error) ?? '');
}

/**
 * Returns one line on what went wrong, with the detail and the hint of the server. A failed connection
 * to several addresses names the first cause.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return describeFailure(error.errors[0]);
  }
  if (!(error instanceof Error)) return String(error);
  const code = errorCodeOf(error);
  const message = error.message === '' ? error.name : error.message;
  const named = code === undefined || message.includes(code) ? message : `${message} (${code})`;
  return [named, ...serverRemarks(error)].join('; ');
}

/**
 * Returns what the server adds to its message, a line each. The message of an AppError has those of
 * its cause already, and its hint is not the server's.
 */
export function serverRemarks(error: unknown): string[] {
  if (!(error instanceof Error) || error instanceof AppError) return [];
  const { detail, hint } = error as { detail?: unknown; hint?: unknown };
  return Object.entries({ detail, hint }).flatMap(([name, text]) =>
    typeof text === 'string' && text !== '' ? `${name}: ${text.replace(/\s*\n\s*/g, '; ')}` : [],
  );
}
