import type { Database } from '../db/database.js';

/** What a reader of statistics needs of the database. */
type Reading = Pick<Database, 'read'>;

interface Answer {
  readonly askedAt: number;
  readonly result: Promise<unknown>;
}

interface Limits {
  readonly timeoutMs: number;
  readonly isDatabaseDown: () => boolean;
}

const keptAnswers = 50;

/** How much later than its own timeout a server may answer before its connection is given up. */
const silenceMs = 1_000;

/**
 * Reads for people who look at a page, without harm to the jobs. It uses one connection at a time, so
 * many pages cannot use up the pool. An answer is shared for a moment. Nobody waits longer than
 * `timeoutMs`: then the connection of a silent server is closed.
 */
export class BoundedReader {
  readonly #database: Pick<Database, 'readSnapshot'>;
  readonly #limits: Limits;
  readonly #answers = new Map<string, Answer>();
  #previous: Promise<unknown> = Promise.resolve();

  constructor(database: Pick<Database, 'readSnapshot'>, limits: Limits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** The result of `work`, or of the same question asked less than `maxAgeMs` ago. */
  read<Result>(
    question: string,
    maxAgeMs: number,
    work: (reading: Reading) => Promise<Result>,
  ): Promise<Result> {
    if (this.#limits.isDatabaseDown()) {
      return Promise.reject(new Error('the database is unreachable or read-only'));
    }
    const known = this.#answers.get(question);
    if (known !== undefined && performance.now() - known.askedAt < maxAgeMs) {
      return known.result as Promise<Result>;
    }
    const result = this.#ask(work);
    this.#keep(question, result);
    return result;
  }

  #keep(question: string, result: Promise<unknown>): void {
    const answers = this.#answers;
    answers.delete(question);
    answers.set(question, { askedAt: performance.now(), result });
    const [oldest] = answers.keys();
    if (answers.size > keptAnswers && oldest !== undefined) answers.delete(oldest);
    // A failure is shared only while it is awaited: the next reader may find the database back.
    result.catch(() => {
      if (answers.get(question)?.result === result) answers.delete(question);
    });
  }

  #ask<Result>(work: (reading: Reading) => Promise<Result>): Promise<Result> {
    const { timeoutMs } = this.#limits;
    const deadline = AbortSignal.timeout(timeoutMs);
    const options = { statementTimeoutMs: timeoutMs, lockTimeoutMs: timeoutMs };
    const result = this.#previous.then(() => {
      // Every reader of this answer has given up: the server was silent for too long.
      if (deadline.aborted) throw notInTime(timeoutMs);
      const giveUp = AbortSignal.timeout(timeoutMs + silenceMs);
      return this.#database.readSnapshot({ ...options, giveUp }, ({ query }) =>
        work({ read: query }),
      );
    });
    this.#previous = result.catch(() => undefined);
    return Promise.race([result, failAt(deadline, timeoutMs)]);
  }
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
