import { AppError } from '../errors.js';
import { findPoolerRefusal } from './pooler-refusal.js';

/** The SQLSTATE codes that this program uses, with PostgreSQL's names. */
export const sqlstate = {
  protocolViolation: '08P01',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  cannotConnectNow: '57P03',
  diskFull: '53100',
  tooManyConnections: '53300',
  readOnlyTransaction: '25006',
  insufficientPrivilege: '42501',
  undefinedTable: '42P01',
  undefinedColumn: '42703',
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
  // A PgBouncer whose server is down. Its refusals have the same code: see findPoolerRefusal.
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

/** pg reports these without a code. The second is a connection lost between statements. */
const driverMessages =
  /^Connection terminated|^Client (has encountered|was closed)|^(Query read )?timeout/i;

const conflicts: ReadonlySet<string> = new Set([
  sqlstate.serializationFailure,
  sqlstate.deadlockDetected,
  sqlstate.lockNotAvailable,
]);

const retryable: ReadonlySet<string> = new Set([...conflicts, sqlstate.tooManyConnections]);

/** Returns the SQLSTATE or system error code, or undefined. */
export function errorCodeOf(error: unknown): string | undefined {
  if (error instanceof AppError) return errorCodeOf(error.cause);
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Returns whether the connection is lost, or no server responded. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'DATABASE_UNREACHABLE';
  if (findPoolerRefusal(error) !== undefined) return false;
  if (lostConnection.has(errorCodeOf(error) ?? '')) return true;
  const message = error instanceof Error ? error.message : '';
  return driverMessages.test(message);
}

/** Returns whether the server is read-only, such as a standby. */
export function isReadOnly(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'DATABASE_READ_ONLY';
  return errorCodeOf(error) === sqlstate.readOnlyTransaction;
}

/** Returns whether the server refused the password, the role or the database. */
export function isRefused(error: unknown): boolean {
  return error instanceof AppError && error.code === 'DATABASE_REFUSED';
}

/** Returns whether no run can succeed now because of the server's state. */
export function isUnavailable(error: unknown): boolean {
  return isConnectionLost(error) || isReadOnly(error) || isRefused(error);
}

/** Returns whether the same transaction may succeed on a retry. */
export function isTransient(error: unknown): boolean {
  return isUnavailable(error) || retryable.has(errorCodeOf(error) ?? '');
}

/** Returns whether another session's lock was the reason: a later retry may succeed. */
export function isConflict(error: unknown): boolean {
  return conflicts.has(errorCodeOf(error) ?? '');
}

/**
 * Returns one line about the failure, with the server's detail and hint. For a failed connection to
 * several addresses, uses the first failure.
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
 * Returns the server's detail and hint, a line each. Nothing for an AppError: its message contains
 * them already.
 */
export function serverRemarks(error: unknown): string[] {
  if (!(error instanceof Error) || error instanceof AppError) return [];
  const { detail, hint } = error as { detail?: unknown; hint?: unknown };
  return Object.entries({ detail, hint }).flatMap(([name, text]) =>
    typeof text === 'string' && text !== '' ? `${name}: ${text.replace(/\s*\n\s*/g, '; ')}` : [],
  );
}
