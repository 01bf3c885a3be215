import { AppError } from '../errors.js';

/** The SQLSTATE codes that this program tells apart, by their names in PostgreSQL's documentation. */
export const sqlstate = {
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
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
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const conflicts: ReadonlySet<string> = new Set([
  sqlstate.serializationFailure,
  sqlstate.deadlockDetected,
  sqlstate.lockNotAvailable,
]);

const retryable: ReadonlySet<string> = new Set([...conflicts, sqlstate.tooManyConnections]);

const notMigrated: ReadonlySet<string> = new Set([
  sqlstate.undefinedTable,
  sqlstate.undefinedFunction,
  sqlstate.invalidSchemaName,
]);

const refused: ReadonlySet<string> = new Set([
  sqlstate.invalidPassword,
  sqlstate.invalidAuthorization,
  sqlstate.invalidCatalogName,
]);

/** The SQLSTATE or system error code of an error, or undefined. */
export function errorCodeOf(error: unknown): string | undefined {
  if (error instanceof AppError) return errorCodeOf(error.cause);
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether the connection is gone, or could not be made because no server answers. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'DATABASE_UNREACHABLE';
  if (lostConnection.has(errorCodeOf(error) ?? '')) return true;
  const message = error instanceof Error ? error.message : '';
  return withoutCode.test(message);
}

/** pg gives these no code. */
const withoutCode =
  /^Connection terminated|^timeout exceeded when|^timeout expired|^Query read timeout|not queryable/i;

/** Whether the server takes no writes: a standby, or one that is not to be written to. */
export function isReadOnly(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'DATABASE_READ_ONLY';
  return errorCodeOf(error) === sqlstate.readOnlyTransaction;
}

/** Whether no run can succeed at present, and only the server can change that. */
export function isUnavailable(error: unknown): boolean {
  return isConnectionLost(error) || isReadOnly(error);
}

/** Whether the same transaction may succeed when it is tried again. */
export function isTransient(error: unknown): boolean {
  return isUnavailable(error) || retryable.has(errorCodeOf(error) ?? '');
}

/** Whether somebody else's lock was in the way: worth another try a little later. */
export function isConflict(error: unknown): boolean {
  return conflicts.has(errorCodeOf(error) ?? '');
}

/** Where a connection goes, without its password. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
}

/** Turns a failure of the driver into one message that says what to do; passes others through. */
export function explainDatabaseError(error: unknown, target: ConnectionTarget): unknown {
  if (error instanceof AppError) return error;
  const code = errorCodeOf(error) ?? '';
  const found = describeFailure(error);
  const server = `${target.host}:${target.port}`;
  if (isConnectionLost(error) || code === sqlstate.tooManyConnections) {
    return new AppError(
      'DATABASE_UNREACHABLE',
      `expected PostgreSQL at ${server}, found: ${found}`,
      { hint: 'check DB_HOST and DB_PORT, and that the server accepts connections', cause: error },
    );
  }
  if (isReadOnly(error)) {
    return new AppError(
      'DATABASE_READ_ONLY',
      `expected PostgreSQL at ${server} to take writes, found: ${found}`,
      { hint: 'after a failover the name of the primary may lead to it soon', cause: error },
    );
  }
  if (refused.has(code)) {
    return new AppError(
      'DATABASE_REFUSED',
      `PostgreSQL at ${server} refused user "${target.user}" on database "${target.name}": ${found}`,
      { hint: 'check DB_NAME, DB_USER and DB_PASSWORD', cause: error },
    );
  }
  if (code === sqlstate.insufficientPrivilege) {
    return new AppError('PERMISSION_DENIED', `role "${target.user}" lacks a right: ${found}`, {
      hint: 'materialized views are refreshed by their owner: connect as the role that owns them',
      cause: error,
    });
  }
  if (notMigrated.has(code)) {
    return new AppError(
      'DATABASE_NOT_MIGRATED',
      `database "${target.name}" lacks an object of the statistics: ${found}`,
      { hint: 'run `registry-stats migrate`, or check DB_NAME', cause: error },
    );
  }
  return error;
}

/** One line on what went wrong; a failed connection to several addresses names the first cause. */
export function describeFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return describeFailure(error.errors[0]);
  }
  if (!(error instanceof Error)) return String(error);
  const code = errorCodeOf(error);
  const message = error.message === '' ? error.name : error.message;
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}
