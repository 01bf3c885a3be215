import type { Signer } from '@aws-sdk/rds-signer';
import { AppError } from '../errors.js';

/**
 * Tokens of IAM in place of a password. RDS looks at one when a connection begins, and for 15
 * minutes only, so that each connection gets a new one; it is signed here, without a call to AWS.
 * The credentials are the AWS SDK's: found when first needed, and renewed before they expire.
 */
export function createIamTokens(
  { host, port, user }: { host: string; port: number; user: string },
  region: string,
): () => Promise<string> {
  let signer: Signer | undefined;
  return async () => {
    try {
      // Loaded by those only who need it.
      const { Signer } = await import('@aws-sdk/rds-signer');
      signer ??= new Signer({ hostname: host, port, username: user, region });
      return await signer.getAuthToken();
    } catch (error) {
      throw tokenError(user, error);
    }
  };
}

/** The SDK's own error is no cause of ours: it may carry what a source of credentials answered. */
function tokenError(user: string, error: unknown): AppError {
  const name = error instanceof Error ? error.name : 'unknown error';
  const found = name === 'CredentialsProviderError' ? 'no AWS credentials' : name;
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
