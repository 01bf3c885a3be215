import { setTimeout as sleep } from 'node:timers/promises';
import type { Signer } from '@aws-sdk/rds-signer';
import { AppError } from '../errors.js';

export interface IamTokensInput {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  /** The SDK would wait for ever for a source of credentials that is silent. */
  readonly timeoutMs: number;
}

/**
 * Tokens of IAM in place of a password. RDS looks at one when a connection begins, and for 15
 * minutes only, so that each connection gets a new one; it is signed here, without a call to AWS.
 * The credentials are the AWS SDK's: found when first needed, and renewed before they expire.
 */
export function createIamTokens(input: IamTokensInput): () => Promise<string> {
  const { host, port, user, region, timeoutMs } = input;
  let signer: Signer | undefined;
  const sign = async (): Promise<string> => {
    // Loaded by those only who need it.
    const { Signer } = await import('@aws-sdk/rds-signer');
    signer ??= new Signer({ hostname: host, port, username: user, region });
    return signer.getAuthToken();
  };
  return async () => {
    const signing = sign().catch((error: unknown) => {
      throw tokenError(user, describe(error));
    });
    const token = await Promise.race([signing, sleep(timeoutMs, undefined, { ref: false })]);
    if (token !== undefined) return token;
    const silence = `no answer from the source of AWS credentials within ${timeoutMs / 1_000} s`;
    throw tokenError(user, silence);
  };
}

/** By its name alone: the message may hold what a source of credentials answered. */
function describe(error: unknown): string {
  const name = error instanceof Error ? error.name : 'unknown error';
  return name === 'CredentialsProviderError' ? 'no AWS credentials' : name;
}

function tokenError(user: string, found: string): AppError {
  return new AppError(
    'IAM_TOKEN_UNAVAILABLE',
    `expected a token of IAM for role "${user}", found: ${found}`,
    {
      hint:
        'give the process AWS credentials (a task role, or AWS_ACCESS_KEY_ID and ' +
        'AWS_SECRET_ACCESS_KEY), or set DB_IAM_AUTH=false and DB_PASSWORD',
    },
  );
}
