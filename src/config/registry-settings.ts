import { aptEnvs, logLevels } from './config.js';
import { databaseHost } from './host-schemas.js';
import type { Setting } from './setting.js';
import { logLevel, region } from './special-schemas.js';
import { booleanText, databaseIdentifier, oneOf, plainText, wholeNumber } from './value-schemas.js';

/** Settings under Registry's own names, so that its values serve us as they are. */
export const registrySettings = {
  APT_ENV: {
    schema: oneOf(aptEnvs),
    default: 'dev',
    about: 'The environment; staging, demo and production are live and read Parameter Store.',
    isLocal: true,
  },
  AWS_REGION: {
    schema: region(),
    default: 'us-east-1',
    about: 'The AWS region of Parameter Store and RDS (AWS_DEFAULT_REGION where this is unset).',
    isLocal: true,
  },
  DB_HOST: {
    schema: databaseHost(),
    default: undefined,
    defaultNote: 'in dev and test an embedded PostgreSQL is started; required elsewhere',
    example: 'localhost',
    about: 'Host name or IP address of PostgreSQL, or the directory of its socket.',
  },
  DB_PORT: {
    schema: wholeNumber(1, 65_535),
    default: '5432',
    about: 'Port of PostgreSQL.',
  },
  DB_NAME: {
    schema: databaseIdentifier('a database name'),
    default: undefined,
    defaultNote: 'registry_stats_dev or registry_stats_test when embedded; required elsewhere',
    example: 'registry',
    about: 'Name of the database.',
  },
  DB_USER: {
    schema: databaseIdentifier('a role name'),
    default: undefined,
    defaultNote: 'registry when embedded; required elsewhere',
    example: 'registry',
    about: 'Role to connect as.',
  },
  DB_PASSWORD: {
    schema: plainText('a password without control characters (a line break at its end?)'),
    default: undefined,
    defaultNote: 'none; required when live without DB_IAM_AUTH',
    example: '',
    about: 'Password of the role; the only setting whose surrounding spaces are kept.',
    isSecret: true,
  },
  DB_USE_SSL: {
    schema: booleanText(),
    default: undefined,
    defaultNote: 'true when live, else false',
    example: 'true',
    about: "Whether to connect by TLS and check the server's certificate.",
  },
  LOG_LEVEL: {
    schema: logLevel(),
    default: 'info',
    about: `Least level to log: ${logLevels.join(', ')}, or Registry's -1 to 7.`,
  },
  LOG_SQL: {
    schema: booleanText(),
    default: 'false',
    about: 'Whether to log each statement that is sent to PostgreSQL.',
  },
  MAINTENANCE_MODE: {
    schema: booleanText(),
    default: 'false',
    about: 'When true nothing is written to the database; the daemon stays up and says so.',
  },
} as const satisfies Record<string, Setting>;
