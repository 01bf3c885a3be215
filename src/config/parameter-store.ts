import type { SSMClient } from '@aws-sdk/client-ssm';

import { emptyError, toParameterStoreError, tokenLoopError } from './parameter-store-errors.js';

interface ParameterStoreInput<Key extends string> {
  /** Ends with a slash. */
  readonly path: string;
  readonly region: string;
  /** The names to keep. All other names under the path are dropped page by page. */
  readonly keys: readonly Key[];
  /** The limit for everything: import, credentials, retries, pages. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads our settings directly under a path, decrypted.
 * @throws AppError PARAMETER_STORE_UNREACHABLE, PARAMETER_STORE_DENIED or PARAMETER_STORE_EMPTY
 */
export async function readParameterStore<Key extends string>(
  input: ParameterStoreInput<Key>,
): Promise<Map<Key, string>> {
  const deadline = startDeadline(input.timeoutMs, input.signal);
  const attempts: Attempts = { lastFault: undefined };
  try {
    const reading = readPages(input, deadline.signal, attempts);
    const found = await Promise.race([reading, deadline.passed]);
    if (found.size === 0) throw emptyError(input);
    return found;
  } catch (error) {
    throw toParameterStoreError(error, {
      ...input,
      isStopped: input.signal?.aborted === true,
      isTimedOut: deadline.signal.aborted,
      lastFault: attempts.lastFault,
    });
  } finally {
    deadline.clear();
  }
}

interface Attempts {
  /** The error of the last attempt, shown when the deadline passes. */
  lastFault: unknown;
}

async function readPages<Key extends string>(
  input: ParameterStoreInput<Key>,
  abortSignal: AbortSignal,
  attempts: Attempts,
): Promise<Map<Key, string>> {
  // The SDK loads slowly, and most commands never use it.
  const { paginateGetParametersByPath, SSMClient } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient(clientOptions(input.region, input.timeoutMs));
  rememberFaults(client, attempts);
  try {
    const found = new Map<Key, string>();
    const seenTokens = new Set<string>();
    const query = { Path: input.path, Recursive: false, WithDecryption: true, MaxResults: 10 };
    for await (const page of paginateGetParametersByPath({ client }, query, { abortSignal })) {
      // The SDK does not validate the response.
      for (const { Name, Value } of page.Parameters ?? []) {
        const key = input.keys.find((name) => Name === `${input.path}${name}`);
        if (key !== undefined && typeof Value === 'string') found.set(key, Value);
      }
      const { NextToken: token } = page;
      if (typeof token !== 'string') break;
      if (seenTokens.has(token)) throw tokenLoopError(input);
      seenTokens.add(token);
    }
    return found;
  } finally {
    client.destroy();
  }
}

function clientOptions(region: string, timeoutMs: number) {
  // At most half of the deadline, to leave time for a second request.
  const requestTimeout = Math.min(5_000, Math.ceil(timeoutMs / 2));
  return {
    region,
    retryMode: 'adaptive',
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: Math.min(3_000, requestTimeout),
      requestTimeout,
      // Without it the SDK only warns. It limits the wait for headers; socketTimeout limits the
      // body.
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
    },
  };
}

function rememberFaults(client: SSMClient, attempts: Attempts): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        attempts.lastFault = error;
        throw error;
      }
    },
    // Inside the retry middleware, so it sees each attempt.
    { step: 'finalizeRequest', priority: 'low', name: 'rememberFaults' },
  );
}

/**
 * Starts a timer with a reference. AbortSignal.timeout() lets the process exit, and
 * AbortSignal.any() may lose it to garbage collection. `passed` also ends waits that ignore
 * signals.
 */
function startDeadline(timeoutMs: number, stopSignal: AbortSignal | undefined) {
  const controller = new AbortController();
  const { signal } = controller;
  const passed = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('deadline passed'));
    });
  });
  const stop = () => {
    controller.abort();
  };
  const timer = setTimeout(stop, timeoutMs);
  stopSignal?.addEventListener('abort', stop, { once: true });
  if (stopSignal?.aborted) stop();
  const clear = () => {
    clearTimeout(timer);
    stopSignal?.removeEventListener('abort', stop);
  };
  return { signal, passed, clear };
}
