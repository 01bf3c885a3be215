import type { AptEnv } from './config.js';

/** Defaults that depend on the environment. */

const livePaths: Readonly<Partial<Record<AptEnv, string>>> = {
  staging: '/STAGING/REGISTRY/',
  demo: '/DEMO/REGISTRY/',
  production: '/PROD/REGISTRY/',
};

export const dbUserDefault = 'registry';

export function dbNameDefault(aptEnv: AptEnv): string {
  return `registry_stats_${aptEnv}`;
}

export function isLive(aptEnv: AptEnv): boolean {
  return livePaths[aptEnv] !== undefined;
}

/** Where a missing DB_HOST means: start a PostgreSQL of our own. */
export function mayEmbed(aptEnv: AptEnv): boolean {
  return aptEnv === 'dev' || aptEnv === 'test';
}

/** The Parameter Store path to read, or undefined where none is to be read. */
export function storePath(aptEnv: AptEnv, ssmPath: string | undefined): string | undefined {
  return ssmPath === 'none' ? undefined : (ssmPath ?? livePaths[aptEnv]);
}
