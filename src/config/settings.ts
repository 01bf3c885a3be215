import type { z } from 'zod';

import { aptEnvs } from './apt-env.js';
import {
  awsRegion,
  booleanText,
  cronExpression,
  cronExpressionOrOff,
  databaseHost,
  databaseIdentifier,
  duration,
  listenHost,
  logLevel,
  logLevels,
  oneOf,
  plainText,
  ssmPath,
  wholeNumber,
} from './value-schemas.js';

export interface Setting {
  /** From the text of the setting to its value; its message says what was expected. */
  readonly schema: z.ZodType<unknown, string>;
  /** As text; parsed by the schema like any other value. */
  readonly default?: string;
  /** The default in words, where it depends on other settings. */
  readonly defaultNote?: string;
  /** What `.env.example` shows where there is no default. */
  readonly example?: string;
  readonly about: string;
  readonly isSecret?: boolean;
  /** Never read from Parameter Store: it says how to read it, or `health` needs it. */
  readonly isLocal?: boolean;
}

/** Settings under Registry's own names, so that its values can be used unchanged. */
export const registrySettings = {
  APT_ENV: {
    schema: oneOf(aptEnvs),
    default: 'dev',
    about: 'The environment; staging, demo and production are live and read Parameter Store.',
    isLocal: true,
  },
  AWS_REGION: {
    schema: awsRegion,
    default: 'us-east-1',
    about: 'The AWS region of Parameter Store and RDS (AWS_DEFAULT_REGION where this is unset).',
    isLocal: true,
  },
  DB_HOST: {
    schema: databaseHost,
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
    defaultNote: 'registry_stats_dev or registry_stats_test when embedded; required elsewhere',
    example: 'registry',
    about: 'Name of the database.',
  },
  DB_USER: {
    schema: databaseIdentifier('a role name'),
    defaultNote: 'registry when embedded; required elsewhere',
    example: 'registry',
    about: 'Role to connect as.',
  },
  DB_PASSWORD: {
    schema: plainText('a password without control characters (a line break at its end?)'),
    defaultNote: 'none; required when live without DB_IAM_AUTH',
    example: '',
    about: 'Password of the role; the only setting whose surrounding spaces are kept.',
    isSecret: true,
  },
  DB_USE_SSL: {
    schema: booleanText,
    defaultNote: 'true when live, else false',
    example: 'true',
    about: "Whether to connect by TLS and check the server's certificate.",
  },
  LOG_LEVEL: {
    schema: logLevel,
    default: 'info',
    about: `Least level to log: ${logLevels.join(', ')}, or Registry's -1 to 7.`,
  },
  LOG_SQL: {
    schema: booleanText,
    default: 'false',
    about: 'Whether to log each statement that is sent to PostgreSQL.',
  },
  MAINTENANCE_MODE: {
    schema: booleanText,
    default: 'false',
    about: 'When true nothing is written to the database; the daemon stays up and says so.',
  },
} as const satisfies Record<string, Setting>;

/** Settings that Registry does not have. */
export const ownSettings = {
  SSM_PATH: {
    schema: ssmPath,
    defaultNote: '/STAGING/REGISTRY/, /DEMO/REGISTRY/ or /PROD/REGISTRY/ when live, else none',
    example: '/STAGING/REGISTRY/',
    about: 'The Parameter Store path to read settings from; `none` reads none.',
    isLocal: true,
  },
  SSM_TIMEOUT: {
    schema: duration,
    default: '10s',
    about: 'How long reading Parameter Store may take in all, retries included.',
    isLocal: true,
  },
  DB_SSL_CA: {
    schema: plainText('the path of a PEM file'),
    defaultNote: 'the certificate authorities of RDS and of Node.js',
    example: 'certificates/ca.pem',
    about: 'PEM file of the certificate authority that signed the certificate of PostgreSQL.',
  },
  DB_IAM_AUTH: {
    schema: booleanText,
    default: 'false',
    about: 'Whether to connect to RDS with tokens of IAM instead of a password; needs DB_USE_SSL.',
  },
  DB_POOL_SIZE: {
    schema: wholeNumber(2, 50),
    default: '4',
    about:
      'Most connections that are open at once. With 2 or 3 the status port may have to wait ' +
      'for a run and a verification.',
  },
  DB_CONNECT_TIMEOUT: {
    schema: duration,
    default: '10s',
    about: 'How long to wait for a connection.',
  },
  DATA_DIR: {
    schema: plainText('the path of a directory'),
    default: '.data',
    about: 'Directory of the embedded PostgreSQL, relative to the working directory.',
  },
  LOG_FORMAT: {
    schema: oneOf(['auto', 'json', 'pretty']),
    default: 'auto',
    about: '`json`, `pretty`, or `auto`: pretty on a terminal and JSON elsewhere.',
  },
  REFRESH_SCHEDULE: {
    schema: cronExpression,
    default: '0 * * * *',
    about: 'When the jobs run: a cron expression of 5 fields, or 6 with seconds, in UTC.',
  },
  VERIFY_SCHEDULE: {
    schema: cronExpressionOrOff,
    default: '0 7 * * 0',
    about: 'When the statistics are compared with the tables: as REFRESH_SCHEDULE, or `off`.',
  },
  COUNTS_TIMEOUT: {
    schema: duration,
    default: '30m',
    about: 'How long a statement of update_counts may take.',
  },
  DEPOSITS_TIMEOUT: {
    schema: duration,
    default: '30m',
    about: 'How long a statement of update_current_deposit_stats may take.',
  },
  HISTORY_TIMEOUT: {
    schema: duration,
    default: '6h',
    about: 'How long a statement of populate_all_historical_deposit_stats may take.',
  },
  LOCK_TIMEOUT: {
    schema: duration,
    default: '5s',
    about: 'How long a statement may wait for a lock.',
  },
  SHUTDOWN_TIMEOUT: {
    schema: duration,
    default: '20s',
    about: 'How long a running job may go on after SIGTERM before it is cancelled.',
  },
  RETRY_ATTEMPTS: {
    schema: wholeNumber(0, 10),
    default: '3',
    about: 'How often a job is tried again after a transient error.',
  },
  STATUS_HOST: {
    schema: listenHost,
    default: '127.0.0.1',
    about: 'Address on which the status server listens.',
    isLocal: true,
  },
  STATUS_PORT: {
    schema: wholeNumber(0, 65_535),
    default: '9310',
    about: 'Port of the status server; 0 takes any free port.',
    isLocal: true,
  },
} as const satisfies Record<string, Setting>;

/** Every setting there is. */
export const settings = { ...registrySettings, ...ownSettings } as const;

export type SettingKey = keyof typeof settings;

export const settingKeys = Object.keys(settings) as SettingKey[];

export function settingOf(key: SettingKey): Setting {
  return settings[key];
}

type Table = typeof settings;

/** The typed value of each setting; undefined only where there is no default. */
export type Values = {
  readonly [K in SettingKey]:
    z.output<Table[K]['schema']> | (Table[K] extends { default: string } ? never : undefined);
};
