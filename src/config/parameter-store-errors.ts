import { AppError } from '../errors.js';

import { findHomeFault, homeHint } from './home-directory.js';
import { showValue } from './masking.js';

interface StorePath {
  readonly path: string;
  readonly region: string;
}

interface Circumstances extends StorePath {
  readonly timeoutMs: number;
  readonly isStopped: boolean;
  readonly isTimedOut: boolean;
  readonly lastFault: unknown;
}

/**
 * Returns the error for a failed read. It has no cause, because the SDK's error contains the
 * response with every value.
 */
export function toParameterStoreError(error: unknown, at: Circumstances): AppError {
  if (error instanceof AppError) return error;
  if (at.isStopped) return unreachable(at, 'reading was stopped', 'Start it again.');
  const fault = at.isTimedOut ? at.lastFault : error;
  const homeFault = findHomeFault(fault);
  if (homeFault !== undefined) return unreachable(at, homeFault, homeHint);
  const reason = describeFault(fault);
  if (isDenied(fault)) return denied(at, reason);
  if (nameOf(fault) === 'CredentialsProviderError') {
    const hint = `Provide AWS credentials (a task role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or set SSM_PATH=none.`;
    return unreachable(at, 'no AWS credentials were found', hint);
  }
  const hint = `Check the network, AWS_REGION and any AWS_ENDPOINT_URL, raise SSM_TIMEOUT, or set SSM_PATH=none to run without it.`;
  if (!at.isTimedOut) return unreachable(at, reason, hint);
  const last = fault === undefined ? '' : `; last: ${reason}`;
  return unreachable(at, `no complete response within ${at.timeoutMs} ms${last}`, hint);
}

export function emptyError({ path, region }: StorePath): AppError {
  const message = `Parameter Store path ${path} in ${region} holds none of our settings`;
  const hint = `Check AWS_REGION and SSM_PATH; expected names like ${path}DB_HOST. SSM_PATH=none skips Parameter Store.`;
  return new AppError('PARAMETER_STORE_EMPTY', message, { hint });
}

export function incompleteError({ path, region }: StorePath, missing: readonly string[]): AppError {
  const message = `Parameter Store path ${path} in ${region} lacks ${missing.join(', ')}; no other source has it`;
  const paths = missing.map((key) => `${path}${key}`).join(', ');
  const hint = `Create ${paths}, or set the same names in the environment.`;
  return new AppError('PARAMETER_STORE_INCOMPLETE', message, { hint });
}

export function tokenLoopError(at: StorePath): AppError {
  const hint = 'Its pages never end; check AWS_ENDPOINT_URL, and try again.';
  return unreachable(at, 'it returned the same NextToken twice', hint);
}

function unreachable({ path, region }: StorePath, reason: string, hint: string): AppError {
  const message = `Parameter Store path ${path} in ${region} could not be read: ${reason}`;
  return new AppError('PARAMETER_STORE_UNREACHABLE', message, { hint });
}

function denied({ path, region }: StorePath, reason: string): AppError {
  const message = `Parameter Store path ${path} in ${region} may not be read: ${reason}`;
  const hint = `Allow the role ssm:GetParametersByPath on ${path} and kms:Decrypt on its key; check that its credentials are valid.`;
  return new AppError('PARAMETER_STORE_DENIED', message, { hint });
}

const deniedNames =
  /^(AccessDenied|Unrecognized|InvalidClientToken|ExpiredToken|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|NotAuthorized|UnauthorizedOperation|OptInRequired|KMS|InvalidKeyId)/;

function isDenied(fault: unknown): boolean {
  const status = httpStatusOf(fault);
  return deniedNames.test(nameOf(fault)) || status === 401 || status === 403;
}

/** Returns the service's message, a network code or a name. Never quotes the response. */
function describeFault(fault: unknown): string {
  if (fault instanceof SyntaxError) return 'its response is not the expected JSON';
  const name = nameOf(fault);
  const { code, message, $fault } = (fault ?? {}) as Record<string, unknown>;
  if (typeof code === 'string') return `${name} ${code}`.replace(/^Error /, '');
  if ($fault !== undefined && typeof message === 'string') {
    return `${name}, ${showValue(message, [], 400).slice(1, -1)}`;
  }
  const status = httpStatusOf(fault);
  return status === undefined ? name : `${name}, HTTP ${status}`;
}

/** Returns the error's name if it is safe to print: the response chooses it. */
function nameOf(fault: unknown): string {
  return fault instanceof Error && /^[\w.]{1,80}$/.test(fault.name) ? fault.name : 'unknown error';
}

function httpStatusOf(fault: unknown): number | undefined {
  const { $metadata } = (fault ?? {}) as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
