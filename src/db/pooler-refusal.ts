/** Why a pooler does not let us work, and what to do, where it is not the password. */
export interface PoolerRefusal {
  readonly hint?: string;
}

/**
 * PgBouncer gives one code, that of a protocol violation, to all of its own errors: only the words
 * tell what a person must fix from a server that is away.
 */
const refusals: readonly (readonly [RegExp, PoolerRefusal])[] = [
  [
    /statement pooling mode/,
    { hint: 'the pooler must keep transactions: set its pool_mode to transaction or session' },
  ],
  [
    /unsupported startup parameter/,
    { hint: 'unset PGOPTIONS, or name it in ignore_startup_parameters of the pooler' },
  ],
  [/authentication failed|does not exist|no such (user|database)|not allowed/, {}],
];

/** What a pooler refuses; undefined for any other error. */
export function findPoolerRefusal(error: unknown): PoolerRefusal | undefined {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== '08P01') return undefined;
  return refusals.find(([pattern]) => pattern.test(error.message))?.[1];
}
