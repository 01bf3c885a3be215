import { exitCodes, type ExitCode } from './exit-codes.js';

/** Every error code and its exit code. A test compares them with `docs/errors.md`. */
export const errorCodes = {
  SETTINGS_INVALID: exitCodes.settings,
  PARAMETER_STORE_UNREACHABLE: exitCodes.parameterStore,
  PARAMETER_STORE_DENIED: exitCodes.parameterStore,
  PARAMETER_STORE_EMPTY: exitCodes.parameterStore,
  PARAMETER_STORE_INCOMPLETE: exitCodes.parameterStore,
  /** No DB_HOST, and no embedded database that the command could use. */
  DATABASE_MISSING: exitCodes.databaseUnreachable,
  DATABASE_UNREACHABLE: exitCodes.databaseUnreachable,
  DATABASE_READ_ONLY: exitCodes.databaseUnreachable,
  DATABASE_REFUSED: exitCodes.databaseUnreachable,
  DATABASE_UNVERIFIED: exitCodes.databaseUnreachable,
  REPLICA_UNUSABLE: exitCodes.databaseUnreachable,
  DATABASE_FULL: exitCodes.databaseUnreachable,
  IAM_TOKEN_UNAVAILABLE: exitCodes.databaseUnreachable,
  DATABASE_NOT_MIGRATED: exitCodes.databaseNotReady,
  PERMISSION_DENIED: exitCodes.databaseNotReady,
  RESET_REFUSED: exitCodes.refused,
  /** Nobody confirmed a command that loses data. */
  NOT_CONFIRMED: exitCodes.refused,
  NOT_REGISTRY: exitCodes.refused,
  MAINTENANCE_MODE: exitCodes.refused,
  SAMPLE_DATA_REFUSED: exitCodes.refused,
  JOB_FAILED: exitCodes.jobFailed,
  UNHEALTHY: exitCodes.unhealthy,
  SQL_FILE_FAILED: exitCodes.migrationFailed,
  MIGRATION_LOCKED: exitCodes.migrationFailed,
  /** Other objects depend on our objects, or on objects that ours would replace. */
  DEPENDENT_OBJECTS: exitCodes.refused,
  DRIFT_FOUND: exitCodes.drift,
  FIGURES_TOO_OLD: exitCodes.tooOld,
  FIXTURE_INVALID: exitCodes.migrationFailed,
  EMBEDDED_UNAVAILABLE: exitCodes.databaseUnreachable,
  STATUS_PORT_UNAVAILABLE: exitCodes.failure,
  USAGE: exitCodes.usage,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof errorCodes;

/**
 * An error for people. The message names what was expected and what was found. The hint names the
 * fix. It never contains a secret.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): ExitCode {
    return errorCodes[this.code];
  }
}
