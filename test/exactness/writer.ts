import type pg from 'pg';
import { copyInto, expectedFailure, Session } from './session.js';
import type { Scene } from './scene.js';
import { planTransaction, type Plan, type Step } from './workload.js';
import type { TestDatabase } from '../support/test-database.js';

interface WriterOptions {
  readonly seed: number;
  readonly number: number;
  readonly hasPreparedTransactions: boolean;
  /** Prepared transactions without a decision, shared by all writers. */
  readonly prepared: Prepared[];
}

export interface Prepared {
  readonly id: string;
  readonly decision: 'commit' | 'rollback';
  readonly changes: number;
}

/** One session that runs the transactions of its seed. */
export class Writer {
  readonly #scene: Scene;
  readonly #options: WriterOptions;
  readonly #session: Session;
  readonly #partner: Session;

  constructor(target: TestDatabase, scene: Scene, options: WriterOptions) {
    this.#scene = scene;
    this.#options = options;
    this.#session = new Session(target, 'exactness writer');
    this.#partner = new Session(target, 'exactness writer');
  }

  async transact(index: number): Promise<void> {
    const plan = planTransaction(this.#options.seed, this.#options.number, index);
    await this.#scene.act(async () => {
      try {
        await this.#session.use((client) => this.#run(client, plan, index));
      } catch (error) {
        this.#note(error);
      }
    });
    if (this.#options.prepared.length > 1) await this.decide();
  }

  /** Commits or rolls back the oldest prepared transaction. */
  async decide(): Promise<void> {
    const prepared = this.#options.prepared.shift();
    if (prepared === undefined) return;
    await this.#scene.act(async () => {
      try {
        await this.#session.use((client) =>
          client.query(`${prepared.decision} prepared '${prepared.id}'`),
        );
        this.#scene.count(`prepared, ${prepared.decision}`);
        if (prepared.decision === 'commit') this.#scene.count('row changes', prepared.changes);
      } catch (error) {
        this.#note(error);
        // The session was terminated. A second attempt shows whether the first succeeded.
        if ((error as { code?: string }).code !== '42704') this.#options.prepared.push(prepared);
      }
    });
  }

  async #run(client: pg.Client, plan: Plan, index: number): Promise<void> {
    await client.query(`begin isolation level ${plan.isolation}`);
    const changes = await this.#steps(client, plan.steps);
    switch (plan.ending) {
      case 'rollback':
        await client.query('rollback');
        this.#scene.count('rolled back');
        return;
      case 'late':
        await this.#scene.untilRun();
        break;
      case 'duel':
        await this.#duel(client, changes);
        return;
      case 'prepared-commit':
      case 'prepared-rollback':
        if (!this.#options.hasPreparedTransactions) break;
        await this.#prepare(
          client,
          plan.ending,
          `${String(this.#options.number)}-${String(index)}`,
          changes,
        );
        return;
      case 'commit':
    }
    await client.query('commit');
    this.#committed(changes, plan.ending);
  }

  async #steps(client: pg.Client, steps: readonly Step[]): Promise<number> {
    let changes = 0;
    for (const step of steps) {
      if (step.kind === 'copy') {
        changes += await copyInto(client, step.into, step.lines);
      } else if (step.kind === 'sql') {
        const { rowCount } = await client.query(step.text);
        if (step.isCounted) changes += rowCount ?? 0;
      } else {
        await client.query('savepoint here');
        const within = await this.#steps(client, step.steps);
        await client.query(step.isKept ? 'release here' : 'rollback to here');
        if (step.isKept) changes += within;
      }
    }
    return changes;
  }

  async #prepare(
    client: pg.Client,
    ending: 'prepared-commit' | 'prepared-rollback',
    name: string,
    changes: number,
  ): Promise<void> {
    // The server counts these for all databases, and other tests may prepare some.
    const id = `exactness-${String(process.pid)}-${String(this.#options.seed)}-${name}`;
    await client.query(`prepare transaction '${id}'`);
    const decision = ending === 'prepared-commit' ? 'commit' : 'rollback';
    this.#options.prepared.push({ id, decision, changes });
  }

  /** Two sessions update the same two rows in opposite orders, and the server ends one. */
  async #duel(client: pg.Client, changes: number): Promise<void> {
    const change = (which: 'min' | 'max'): string =>
      `update public.work_items set action = coalesce(action, '') || 'x'
      where id = (select ${which}(id) from public.work_items)`;
    const isBelow = `update public.work_items set action = 'Ingest' where action like '%xxx'`;
    await client.query(change('min'));
    await this.#partner.use(async (partner) => {
      await partner.query('begin');
      await partner.query(change('max'));
      const [own, others] = await Promise.allSettled([
        client.query(change('max')).then(() => client.query(isBelow)),
        partner.query(change('min')).then(() => partner.query('commit')),
      ]);
      if (others.status === 'rejected') this.#note(others.reason);
      if (others.status === 'rejected') await partner.query('rollback');
      else this.#committed(2, 'duel');
      if (own.status === 'rejected') throw own.reason as Error;
    });
    await client.query('commit');
    this.#committed(changes + 2, 'duel');
  }

  #committed(changes: number, ending: string): void {
    this.#scene.count('committed');
    this.#scene.count('row changes', changes);
    if (ending === 'late') this.#scene.count('committed after a fold');
  }

  #note(error: unknown): void {
    const code = expectedFailure(error);
    if (code === undefined && (error as { code?: string }).code !== '42704') {
      this.#scene.problem(error);
    }
    this.#scene.fail(code ?? 'prepared transaction decided on already');
  }
}
