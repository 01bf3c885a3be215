import type { ErrorBody } from '../../status/model.js';

/** An error response of the daemon. */
export class Refusal extends Error {
  readonly hint: string | null;

  constructor({ error, hint }: ErrorBody) {
    super(error);
    this.hint = hint;
  }
}

/**
 * Returns the JSON of a path of the status port.
 * @throws Refusal the daemon's error response, such as an unreachable database
 */
export async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path, { signal: AbortSignal.timeout(15_000) });
  const body: unknown = await response.json();
  if (!response.ok) throw new Refusal(body as ErrorBody);
  return body as Answer;
}
