import type { Database } from '../db/database.js';

/** What a reader of statistics needs of the database. */
type Reading = Pick<Database, 'read'>;

interface BoundedReader {
  /** The result of `work`, or of the same question asked less than `maxAgeMs` ago. */
  read<Result>(
    question: string,
    maxAgeMs: number,
    work: (reading: Reading) => Promise<Result>,
  ): Promise<Result>;
}

interface Answer {
  readonly askedAt: number;
  readonly result: Promise<unknown>;
}

const keptAnswers = 50;

/** How much later than its own timeout a server may answer before its connection is given up. */
const silenceMs = 1_000;

/**
 * Reads for people who look at a page, without harm to the jobs: one connection at a time, so many
 * pages cannot use up the pool; an answer is shared for a moment; nobody waits longer than
 * `timeoutMs`, even for a server that is silent, and its connection is given up then.
 */
export function createBoundedReader(
  context: { readonly database: Pick<Database, 'readSnapshot'> },
  { timeoutMs, isDatabaseDown }: { timeoutMs: number; isDatabaseDown: () => boolean },
): BoundedReader {
  const answers = new Map<string, Answer>();
  let previous: Promise<unknown> = Promise.resolve();

  function ask<Result>(work: (reading: Reading) => Promise<Result>): Promise<Result> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const options = { statementTimeoutMs: timeoutMs, lockTimeoutMs: timeoutMs };
    const result = previous.then(() => {
      // Whoever asked has gone: the server was silent for too long.
      if (deadline.aborted) throw notInTime(timeoutMs);
      const giveUp = AbortSignal.timeout(timeoutMs + silenceMs);
      return context.database.readSnapshot({ ...options, giveUp }, ({ query }) =>
        work({ read: query }),
      );
    });
    previous = result.catch(() => undefined);
    return Promise.race([result, failAt(deadline, timeoutMs)]);
  }

  return {
    read: <Result>(
      question: string,
      maxAgeMs: number,
      work: (reading: Reading) => Promise<Result>,
    ) => {
      if (isDatabaseDown()) return Promise.reject(new Error('the database does not answer'));
      const known = answers.get(question);
      if (known !== undefined && performance.now() - known.askedAt < maxAgeMs) {
        return known.result as Promise<Result>;
      }
      const result = ask(work);
      answers.delete(question);
      answers.set(question, { askedAt: performance.now(), result });
      const [oldest] = answers.keys();
      if (answers.size > keptAnswers && oldest !== undefined) answers.delete(oldest);
      return result;
    },
  };
}

function failAt(deadline: AbortSignal, timeoutMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => {
      reject(notInTime(timeoutMs));
    };
    deadline.addEventListener('abort', fail, { once: true });
  });
}

function notInTime(timeoutMs: number): Error {
  return new Error(`the database did not answer within ${timeoutMs / 1_000} s`);
}
