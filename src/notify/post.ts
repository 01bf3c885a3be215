/** Why a POST failed. The message never contains the URL, which is a secret. */
export class PostFailure extends Error {
  /** `temporary`: a retry may succeed. */
  readonly kind: 'temporary' | 'final';

  constructor(message: string, kind: PostFailure['kind']) {
    super(message);
    this.name = 'PostFailure';
    this.kind = kind;
  }
}

const timeoutMs = 10_000;

/**
 * POSTs JSON, and ignores the body of the response. Follows no redirect: it would carry the message to a
 * host that nobody configured.
 * @throws PostFailure
 */
export async function post(url: string, body: string, stop: AbortSignal): Promise<void> {
  const limit = new AbortController();
  const abort = (): void => {
    limit.abort();
  };
  const timer = setTimeout(abort, timeoutMs);
  stop.addEventListener('abort', abort, { once: true });
  try {
    const headers = { 'content-type': 'application/json', 'user-agent': 'registry-stats' };
    const options = { method: 'POST', headers, body, redirect: 'manual' } as const;
    const response = await fetch(url, { ...options, signal: limit.signal });
    void response.body?.cancel().catch(() => undefined);
    if (!response.ok) throw refusal(response.status);
  } catch (error) {
    if (error instanceof PostFailure) throw error;
    stop.throwIfAborted();
    const silence = `no response within ${timeoutMs / 1000} s`;
    throw new PostFailure(limit.signal.aborted ? silence : networkFault(error), 'temporary');
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', abort);
  }
}

function refusal(status: number): PostFailure {
  if (status >= 300 && status < 400) {
    return new PostFailure(`HTTP ${status}: redirects are not followed`, 'final');
  }
  const isTemporary = status >= 500 || status === 429 || status === 408;
  return new PostFailure(`HTTP ${status}`, isTemporary ? 'temporary' : 'final');
}

/** Returns the code of Node.js, such as ECONNREFUSED. A message may contain the URL. */
function networkFault(error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'the request failed';
}
