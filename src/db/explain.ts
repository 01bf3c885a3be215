import { AppError } from '../errors.js';
import { findPoolerRefusal } from './pooler-refusal.js';
import {
  describeFailure,
  errorCodeOf,
  isConnectionLost,
  isReadOnly,
  sqlstate,
} from './sqlstate.js';
import { findTlsFault } from './tls-fault.js';

/** The target of a connection, without its password. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  /** The AWS region for tokens; undefined without DB_IAM_AUTH. */
  readonly iamRegion?: string | undefined;
}

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

interface Fault {
  readonly error: unknown;
  readonly code: string;
  /** The message of the driver or server. */
  readonly found: string;
  readonly server: string;
  readonly target: ConnectionTarget;
  /** Whether the connection is not open yet. A statement may raise some of these codes too. */
  readonly isConnecting: boolean;
}

interface Explanation {
  readonly code: AppError['code'];
  readonly applies: (fault: Fault) => boolean;
  readonly message: (fault: Fault) => string;
  readonly hint: (fault: Fault) => string;
}

/** The first match applies. */
const explanations: readonly Explanation[] = [
  {
    code: 'DATABASE_UNREACHABLE',
    applies: ({ error, code, isConnecting }) =>
      isConnectionLost(error) ||
      code === sqlstate.tooManyConnections ||
      (isConnecting && code === sqlstate.objectNotInPrerequisiteState),
    message: ({ server, found }) => `expected PostgreSQL at ${server}, found: ${found}`,
    hint: () => 'check DB_HOST and DB_PORT, and that the server accepts connections',
  },
  {
    code: 'DATABASE_READ_ONLY',
    applies: ({ error }) => isReadOnly(error),
    message: ({ server, found }) =>
      `expected PostgreSQL at ${server} to take writes, found: ${found}`,
    hint: () => 'after a failover, wait until the name resolves to the new primary',
  },
  {
    code: 'DATABASE_UNVERIFIED',
    applies: ({ error }) => findTlsFault(error) !== undefined,
    message: ({ error, server }) =>
      `expected PostgreSQL at ${server} to prove its identity by TLS, found: ${findTlsFault(error)?.found ?? ''}`,
    hint: ({ error }) => findTlsFault(error)?.hint ?? '',
  },
  {
    code: 'DATABASE_REFUSED',
    applies: ({ error, code, isConnecting }) =>
      isConnecting &&
      (refused.has(code) || findPoolerRefusal(error) !== undefined || isPasswordMissing(error)),
    message: ({ error, server, target, found }) => {
      const reason = isPasswordMissing(error) ? 'it requires a password, none is set' : found;
      return `PostgreSQL at ${server} refused user "${target.user}" on database "${target.name}": ${reason}`;
    },
    hint: ({ error, found, target }) =>
      findPoolerRefusal(error)?.hint ?? refusedHint(found, target),
  },
  {
    code: 'DATABASE_FULL',
    applies: ({ code }) => code === sqlstate.diskFull,
    message: ({ target, server, found }) =>
      `the server of database "${target.name}" at ${server} has no disk space left: ${found}`,
    hint: () => 'free space on the disk of the server, or enlarge it; the next run does the work',
  },
  {
    code: 'PERMISSION_DENIED',
    applies: ({ code }) => code === sqlstate.insufficientPrivilege,
    message: ({ target, found }) => `role "${target.user}" lacks a right: ${found}`,
    hint: ({ error, target }) => missingRightHint(error, target),
  },
  {
    code: 'DATABASE_NOT_MIGRATED',
    applies: ({ code }) => notMigrated.has(code),
    message: ({ target, found }) =>
      `database "${target.name}" lacks an object of the statistics: ${found}`,
    hint: () => 'run `registry-stats migrate`, or check DB_NAME',
  },
];

/** Converts a driver failure to an AppError that names the fix. Returns other errors unchanged. */
export function explainDatabaseError(
  error: unknown,
  target: ConnectionTarget,
  { isConnecting }: Pick<Fault, 'isConnecting'>,
): unknown {
  if (error instanceof AppError) return error;
  const fault: Fault = {
    error,
    target,
    isConnecting,
    code: errorCodeOf(error) ?? '',
    found: describeFailure(error),
    server: `${target.host}:${target.port}`,
  };
  const explanation = explanations.find(({ applies }) => applies(fault));
  if (explanation === undefined) return error;
  const { code, message, hint } = explanation;
  return new AppError(code, message(fault), { hint: hint(fault), cause: error });
}

/** Returns whether no password was set. pg reports that without a code. */
function isPasswordMissing(error: unknown): boolean {
  return error instanceof Error && error.message.includes('client password must be a');
}

function refusedHint(found: string, { iamRegion }: ConnectionTarget): string {
  if (found.includes('no encryption')) return 'the server requires TLS: set DB_USE_SSL=true';
  if (iamRegion === undefined) return 'check DB_NAME, DB_USER and DB_PASSWORD';
  return (
    'check DB_NAME, that DB_USER may use rds_iam and the AWS role rds-db:connect, that the AWS ' +
    `credentials have not expired, AWS_REGION (${iamRegion}), and the clock`
  );
}

/** Identifies the error by its source routine, because messages may be translated. */
function missingRightHint(error: unknown, { name, user }: ConnectionTarget): string {
  const { routine, hint } = error as { routine?: unknown; hint?: unknown };
  if (routine === 'CheckMyDatabase') return `grant connect on database "${name}" to "${user}";`;
  // A concurrent refresh makes a temporary table as the owner of the view.
  if (routine === 'InitTempTableNamespace') {
    return `grant temporary on database "${name}" to <owner of the view>;`;
  }
  if (typeof hint === 'string') return 'run the statement above as the owner of the database';
  return 'grant what sql/roles.sql grants, or connect as the role that owns the statistics';
}
