import { listenHost } from './host-schemas.js';
import type { Setting } from './setting.js';
import { ssmPath } from './special-schemas.js';
import {
  booleanText,
  cronExpression,
  cronExpressionOrOff,
  duration,
  oneOf,
  plainText,
  wholeNumber,
} from './value-schemas.js';

/** Settings that Registry does not have. */
export const ownSettings = {
  SSM_PATH: {
    schema: ssmPath(),
    default: undefined,
    defaultNote: '/STAGING/REGISTRY/, /DEMO/REGISTRY/ or /PROD/REGISTRY/ when live, else none',
    example: '/STAGING/REGISTRY/',
    about: 'The Parameter Store path to read settings from; `none` reads none.',
    isLocal: true,
  },
  SSM_TIMEOUT: {
    schema: duration(),
    default: '10s',
    about: 'How long reading Parameter Store may take in all, retries included.',
    isLocal: true,
  },
  DB_SSL_CA: {
    schema: plainText('the path of a PEM file'),
    default: undefined,
    defaultNote: 'the certificate authorities of RDS and of Node.js',
    example: 'certificates/ca.pem',
    about: 'PEM file of the certificate authority that signed the certificate of PostgreSQL.',
  },
  DB_IAM_AUTH: {
    schema: booleanText(),
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
    schema: duration(),
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
    schema: cronExpression(),
    default: '0 * * * *',
    about: 'When the jobs run: a cron expression of 5 fields, or 6 with seconds, in UTC.',
  },
  VERIFY_SCHEDULE: {
    schema: cronExpressionOrOff(),
    default: '0 7 * * 0',
    about: 'When the statistics are compared with the tables: as REFRESH_SCHEDULE, or `off`.',
  },
  COUNTS_TIMEOUT: {
    schema: duration(),
    default: '30m',
    about: 'How long a statement of update_counts may take.',
  },
  DEPOSITS_TIMEOUT: {
    schema: duration(),
    default: '30m',
    about: 'How long a statement of update_current_deposit_stats may take.',
  },
  HISTORY_TIMEOUT: {
    schema: duration(),
    default: '6h',
    about: 'How long a statement of populate_all_historical_deposit_stats may take.',
  },
  LOCK_TIMEOUT: {
    schema: duration(),
    default: '5s',
    about: 'How long a statement may wait for a lock.',
  },
  SHUTDOWN_TIMEOUT: {
    schema: duration(),
    default: '20s',
    about: 'How long a running job may go on after SIGTERM before it is cancelled.',
  },
  RETRY_ATTEMPTS: {
    schema: wholeNumber(0, 10),
    default: '3',
    about: 'How often a job is tried again after a transient error.',
  },
  STATUS_HOST: {
    schema: listenHost(),
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
