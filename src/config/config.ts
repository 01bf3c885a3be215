import type { DeepReadonly } from './deep-freeze.js';

export const aptEnvs = [
  'ci',
  'demo',
  'dev',
  'docker',
  'integration',
  'production',
  'staging',
  'test',
  'travis',
] as const;

export type AptEnv = (typeof aptEnvs)[number];

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

/** The typed settings: what the rest of the program sees. Times are milliseconds. */
export type Config = DeepReadonly<{
  aptEnv: AptEnv;
  /** APT_ENV was set somewhere, not defaulted. */
  isAptEnvExplicit: boolean;
  /** staging, demo or production. */
  isLive: boolean;
  isMaintenance: boolean;
  /** The Parameter Store path that was read; undefined where it is not used. */
  ssmPath: string | undefined;
  awsRegion: string;
  /** Absolute. */
  dataDir: string;
  db: {
    host: string | undefined;
    port: number;
    name: string;
    user: string;
    /** undefined with `isIamAuth` too, which has tokens instead. */
    password: string | undefined;
    isIamAuth: boolean;
    useSsl: boolean;
    /** The certificates in the file of DB_SSL_CA when the settings were loaded, as PEM. */
    sslCa: string | undefined;
    poolSize: number;
    connectTimeoutMs: number;
  };
  log: { level: LogLevel; sql: boolean; format: 'auto' | 'json' | 'pretty' };
  refreshSchedule: string;
  /** undefined: never. */
  verifySchedule: string | undefined;
  timeouts: {
    countsMs: number;
    depositsMs: number;
    historyMs: number;
    lockMs: number;
    shutdownMs: number;
  };
  retryAttempts: number;
  status: { host: string; port: number };
}>;
