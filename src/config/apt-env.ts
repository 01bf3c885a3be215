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

const livePaths: Readonly<Partial<Record<AptEnv, string>>> = {
  staging: '/STAGING/REGISTRY/',
  demo: '/DEMO/REGISTRY/',
  production: '/PROD/REGISTRY/',
};

/** Returns true for staging, demo and production. */
export function isLive(aptEnv: AptEnv): boolean {
  return livePaths[aptEnv] !== undefined;
}

/** Returns whether to start the embedded PostgreSQL when DB_HOST is missing. */
export function mayEmbed(aptEnv: AptEnv): boolean {
  return aptEnv === 'dev' || aptEnv === 'test';
}

/** Returns the Parameter Store path, or undefined if Parameter Store is not used. */
export function storePath(aptEnv: AptEnv, ssmPath: string | undefined): string | undefined {
  return ssmPath === 'none' ? undefined : (ssmPath ?? livePaths[aptEnv]);
}
