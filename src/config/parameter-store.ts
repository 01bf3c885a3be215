import type { SSMClient } from '@aws-sdk/client-ssm';

import { emptyError, toParameterStoreError, tokenLoopError } from './parameter-store-errors.js';

export interface ParameterStoreInput {
  /** Ends with a slash. */
  readonly path: string;
  readonly region: string;
  /** Names to keep; whatever else the path holds is dropped page by page. */
  readonly keys: readonly string[];
  /** For everything: import, credentials, retries, pages. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads our settings below a path, decrypted, one level deep.
 * @throws AppError PARAMETER_STORE_UNREACHABLE, PARAMETER_STORE_DENIED or PARAMETER_STORE_EMPTY
 */
export async function readParameterStore(input: ParameterStoreInput): Promise<Map<string, string>> {
  const deadline = startDeadline(input);
  const progress: Progress = { lastFault: undefined };
  try {
    const found = await Promise.race([
      readPages(input, deadline.signal, progress),
      deadline.passed,
    ]);
    if (found.size === 0) throw emptyError(input);
    return found;
  } catch (error) {
    throw toParameterStoreError(error, {
      ...input,
      isStopped: input.signal?.aborted === true,
      isTimedOut: deadline.signal.aborted,
      lastFault: progress.lastFault,
    });
  } finally {
    deadline.clear();
  }
}

interface Progress {
  /** What the latest attempt failed with: tells why the deadline passed. */
  lastFault: unknown;
}

async function readPages(input: ParameterStoreInput, signal: AbortSignal, progress: Progress) {
  // The SDK takes a noticeable time to load, and most commands never need it.
  const { GetParametersByPathCommand, SSMClient } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient(clientOptions(input));
  rememberFaults(client, progress);
  try {
    const found = new Map<string, string>();
    const seenTokens = new Set<string>();
    let token: string | undefined;
    do {
      const command = new GetParametersByPathCommand({
        Path: input.path,
        Recursive: false,
        WithDecryption: true,
        MaxResults: 10,
        NextToken: token,
      });
      const page = await client.send(command, { abortSignal: signal });
      // The SDK passes on what it gets, of whatever type.
      for (const { Name, Value } of page.Parameters ?? []) {
        if (typeof Name !== 'string' || typeof Value !== 'string') continue;
        const key = Name.startsWith(input.path) ? Name.slice(input.path.length) : '';
        if (input.keys.includes(key)) found.set(key, Value);
      }
      // A page may be empty and still have a token.
      const { NextToken } = page;
      token = typeof NextToken === 'string' && NextToken !== '' ? NextToken : undefined;
      if (token !== undefined && seenTokens.has(token)) throw tokenLoopError(input);
      if (token !== undefined) seenTokens.add(token);
    } while (token !== undefined);
    return found;
  } finally {
    client.destroy();
  }
}

function clientOptions({ region, timeoutMs }: ParameterStoreInput) {
  // Half of the deadline at most, so that a lost request leaves time for another.
  const requestTimeout = Math.min(5_000, Math.ceil(timeoutMs / 2));
  return {
    region,
    retryMode: 'adaptive',
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: Math.min(3_000, requestTimeout),
      requestTimeout,
      // Without it the SDK only warns. It covers the time to the headers; socketTimeout the body.
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
    },
  };
}

function rememberFaults(client: SSMClient, progress: Progress): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        progress.lastFault = error;
        throw error;
      }
    },
    // Inside the retry middleware, so that it sees each attempt.
    { step: 'finalizeRequest', priority: 'low', name: 'rememberFaults' },
  );
}

/**
 * A timer of our own: AbortSignal.timeout() lets the process end, and in AbortSignal.any() it may be
 * collected before it fires. `passed` also covers waits that heed no signal, like credentials.
 */
function startDeadline({ timeoutMs, signal }: ParameterStoreInput) {
  const controller = new AbortController();
  const stop = () => {
    controller.abort();
  };
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  const passed = new Promise<never>((_resolve, reject) => {
    const fail = () => {
      reject(new Error('deadline passed'));
    };
    controller.signal.addEventListener('abort', fail, { once: true });
    if (controller.signal.aborted) fail();
  });
  const clear = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  };
  return { signal: controller.signal, passed, clear };
}
