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
  webhookUrl,
  wholeNumber,
} from './value-schemas.js';

export interface Setting {
  /** Parses the text. The message completes "expected …". */
  readonly schema: z.ZodType<unknown, string>;
  /** Text, parsed by the schema. */
  readonly default?: string;
  /** The default in words, if it depends on other settings. */
  readonly defaultNote?: string;
  /** The value in `.env.example` for a setting without a default. */
  readonly example?: string;
  readonly about: string;
  readonly isSecret?: boolean;
  /** Never read from Parameter Store: needed to read it, or needed by `health`. */
  readonly isLocal?: boolean;
}

/** Settings that share Registry's names and values. */
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
    about: 'The AWS region of Parameter Store and RDS (AWS_DEFAULT_REGION if this is unset).',
    isLocal: true,
  },
  DB_HOST: {
    schema: databaseHost('DB_PORT'),
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
    about: "Whether to connect with TLS and verify the server's certificate.",
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
    about:
      'When true, nothing is written to the database; the daemon keeps running and reports it.',
  },
} as const satisfies Record<string, Setting>;

/** Settings that only registry-stats has. */
export const ownSettings = {
  SSM_PATH: {
    schema: ssmPath,
    defaultNote: '/STAGING/REGISTRY/, /DEMO/REGISTRY/ or /PROD/REGISTRY/ when live, else none',
    example: '/STAGING/REGISTRY/',
    about: 'The Parameter Store path of the settings; `none` turns it off.',
    isLocal: true,
  },
  SSM_TIMEOUT: {
    schema: duration,
    default: '10s',
    about: 'Time limit for reading Parameter Store, retries included.',
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
    about: 'Whether to connect to RDS with IAM tokens instead of a password; needs DB_USE_SSL.',
  },
  DB_POOL_SIZE: {
    schema: wholeNumber(2, 50),
    default: '4',
    about:
      'Maximum number of open connections. With 2 or 3 the status port may have to wait ' +
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
    about: 'When to compare the figures with the tables: a cron expression, or `off`.',
  },
  VERIFY_DB_HOST: {
    schema: databaseHost('VERIFY_DB_PORT'),
    defaultNote: 'none: verifications read from DB_HOST',
    example: 'replica.example.org',
    about:
      'Host name or IP address of a replica for verifications, or the directory of its socket.',
  },
  VERIFY_DB_PORT: {
    schema: wholeNumber(1, 65_535),
    defaultNote: 'the value of DB_PORT',
    example: '5432',
    about: 'Port of the replica.',
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
    about: 'How many times a job is retried after a transient error.',
  },
  STATUS_HOST: {
    schema: listenHost,
    default: '127.0.0.1',
    about: 'Address of the status server.',
    isLocal: true,
  },
  STATUS_PORT: {
    schema: wholeNumber(0, 65_535),
    default: '9310',
    about: 'Port of the status server; 0 selects a free port.',
    isLocal: true,
  },
  NOTIFY_URL: {
    schema: webhookUrl,
    defaultNote: 'none: no notifications',
    example: 'https://hooks.example.org/secret',
    about: 'Where to POST each change of state, such as a job that fails or recovers.',
    isSecret: true,
  },
} as const satisfies Record<string, Setting>;

export const settings = { ...registrySettings, ...ownSettings } as const;

export type SettingKey = keyof typeof settings;

export const settingKeys = Object.keys(settings) as SettingKey[];

export function settingOf(key: SettingKey): Setting {
  return settings[key];
}

type Table = typeof settings;

/** The typed values; undefined only without a default. */
export type Values = {
  readonly [K in SettingKey]:
    z.output<Table[K]['schema']> | (Table[K] extends { default: string } ? never : undefined);
};
