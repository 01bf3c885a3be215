/** Every exit code of the program. A test compares them with `docs/errors.md`. */
export const exitCodes = {
  ok: 0,
  /** An unexpected failure, or a second stop signal. */
  failure: 1,
  /** The command line was not understood. */
  usage: 2,
  /** A setting is missing or invalid. */
  settings: 3,
  /** Parameter Store could not be read, or has none of our settings. */
  parameterStore: 4,
  /** The database cannot be reached, or refused the connection. */
  databaseUnreachable: 5,
  /** The database lacks our migrations, or the role lacks rights. */
  databaseNotReady: 6,
  /** A safety check refused a destructive or unclear command. */
  refused: 7,
  /** A job ended as failed or cancelled. */
  jobFailed: 8,
  /** The running daemon is not healthy, or no daemon responded. */
  unhealthy: 9,
  /** A schema, migration, function or fixture file failed; the database is unchanged. */
  migrationFailed: 10,
  /** `verify` found drift. */
  drift: 11,
  /** Figures are older than `--max-age`. */
  tooOld: 12,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
