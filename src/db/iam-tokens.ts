import { setTimeout as sleep } from 'node:timers/promises';
import type { Signer } from '@aws-sdk/rds-signer';
import { findHomeFault, homeHint } from '../config/home-directory.js';
import { AppError } from '../errors.js';

interface IamTokensInput {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  /** The limit for a credentials source. The SDK has none. */
  readonly timeoutMs: number;
}

/**
 * Returns a function that signs an IAM token, used as the password. RDS accepts a token for 15
 * minutes, at the start of a connection, so each connection gets a new one. Signing makes no call
 * to AWS. The SDK finds the credentials, and renews them before they expire.
 */
export function createIamTokens(input: IamTokensInput): () => Promise<string> {
  const { host, port, user, region, timeoutMs } = input;
  let signer: Signer | undefined;
  const sign = async (): Promise<string> => {
    // Loaded only if IAM is used.
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
    const silence = `no response from the source of AWS credentials within ${timeoutMs / 1_000} s`;
    throw tokenError(user, silence);
  };
}

/** Returns only the name: the message may contain the response of a credentials source. */
function describe(error: unknown): string {
  const homeFault = findHomeFault(error);
  if (homeFault !== undefined) return `${homeFault}. ${homeHint}`;
  const name = error instanceof Error ? error.name : 'unknown error';
  return name === 'CredentialsProviderError' ? 'no AWS credentials' : name;
}

function tokenError(user: string, found: string): AppError {
  return new AppError(
    'IAM_TOKEN_UNAVAILABLE',
    `expected an IAM token for role "${user}", found: ${found}`,
    {
      hint:
        'provide AWS credentials (a task role, or AWS_ACCESS_KEY_ID and ' +
        'AWS_SECRET_ACCESS_KEY), or set DB_IAM_AUTH=false and DB_PASSWORD',
    },
  );
}
