import type { ErrorBody } from '../../status/model.js';

/** The daemon answered that it cannot tell, and why. */
export class Refusal extends Error {
  readonly hint: string | null;

  constructor({ error, hint }: ErrorBody) {
    super(error);
    this.hint = hint;
  }
}

/**
 * JSON of the status port.
 * @throws Refusal what the daemon answers instead, such as a database that is away
 */
export async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path, { signal: AbortSignal.timeout(15_000) });
  const body: unknown = await response.json();
  if (!response.ok) throw new Refusal(body as ErrorBody);
  return body as Answer;
}
