/** Why a pooler refuses us, and the fix; no fix if it is the password or a name. */
interface PoolerRefusal {
  readonly hint?: string;
}

/**
 * PgBouncer has one code for all its errors, the one of a protocol violation. Only the message
 * distinguishes a refusal from a server that is down.
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

/** Returns undefined if the error is not a pooler's refusal. */
export function findPoolerRefusal(error: unknown): PoolerRefusal | undefined {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== '08P01') return undefined;
  return refusals.find(([pattern]) => pattern.test(error.message))?.[1];
}
