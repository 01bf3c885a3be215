import type pg from 'pg';
import { sources, type Source } from '../../../src/statistics/installation.js';
import { RandomNumbers } from '../../exactness/random-numbers.js';
import { newRow, uncaptured } from '../../exactness/rows.js';
import type { Scene } from '../../exactness/scene.js';
import { changeSome, insert } from '../../exactness/workload.js';
import { Latencies } from './latencies.js';

/** Above this number a writer deletes rows instead of adding some. */
const mostOwnRows = 5_000;

type Work =
  | 'insert of a row'
  | 'insert of 100 rows'
  | 'ingest of 42 rows'
  | 'update of a row'
  | 'update of 50 rows'
  | 'update of no figure'
  | 'update of a shared row'
  | 'delete of 50 rows'
  | 'rollback of 70 rows';

interface CrowdWriterOptions {
  readonly client: pg.Client;
  readonly scene: Scene;
  readonly number: number;
  /** Marks the rows of one phase. */
  readonly phase: string;
  /** One row of each table that all writers update. */
  readonly shared: Readonly<Record<Source, string>>;
}

/**
 * A session that writes without a pause. It changes many rows of its own per transaction, or one
 * shared row. So writers wait for each other, but never in a circle, and no deadlock is caused by
 * them.
 */
export class CrowdWriter {
  readonly latencies = new Latencies();
  readonly #options: CrowdWriterOptions;
  readonly #random: RandomNumbers;
  readonly #own: Record<Source, string[]> = {
    generic_files: [],
    intellectual_objects: [],
    premis_events: [],
    work_items: [],
  };
  #named = 0;

  constructor(options: CrowdWriterOptions) {
    this.#options = options;
    this.#random = new RandomNumbers(options.number);
  }

  async write(): Promise<void> {
    const { scene } = this.#options;
    while (!scene.isOver) {
      const source = this.#random.pick(sources);
      const work = this.#pickWork(source);
      await this.latencies.time(work, () => this.#transact(work, source));
      scene.count('transactions');
      scene.signal('progress');
    }
  }

  #pickWork(source: Source): Work {
    const isFull = this.#own[source].length > mostOwnRows;
    return this.#random.weighted<Work>({
      'insert of a row': isFull ? 0 : 30,
      'insert of 100 rows': isFull ? 0 : 5,
      'ingest of 42 rows': isFull ? 0 : 10,
      'update of a row': 20,
      'update of 50 rows': 5,
      'update of no figure': 10,
      'update of a shared row': 10,
      'delete of 50 rows': isFull ? 45 : 5,
      'rollback of 70 rows': 5,
    });
  }

  async #transact(work: Work, source: Source): Promise<void> {
    switch (work) {
      case 'insert of a row': {
        this.#keep(source, await this.#insert(source, 1));
        return;
      }
      case 'insert of 100 rows': {
        this.#keep(source, await this.#insert(source, 100));
        return;
      }
      case 'ingest of 42 rows':
        return this.#ingest();
      case 'update of a row':
        return this.#update(source, changeSome(source, this.#random), this.#some(source, 1));
      case 'update of 50 rows':
        return this.#update(source, changeSome(source, this.#random), this.#some(source, 50));
      case 'update of no figure':
        return this.#update(source, uncaptured[source], this.#some(source, 10));
      case 'update of a shared row': {
        const { shared } = this.#options;
        return this.#update(source, changeSome(source, this.#random), [shared[source]]);
      }
      case 'delete of 50 rows':
        return this.#delete(source, this.#own[source].splice(0, 50));
      case 'rollback of 70 rows':
        return this.#rollBack(source);
    }
  }

  async #insert(source: Source, count: number): Promise<string[]> {
    const { client, number, phase } = this.#options;
    const rows = Array.from({ length: count }, () =>
      newRow(source, this.#random, `${phase}-${String(number)}-${String(++this.#named)}`),
    );
    const inserted = await client.query<{ id: string }>(`${insert(source, rows)} returning id`);
    return inserted.rows.map(({ id }) => id);
  }

  /** Ingests all of it or nothing, like a bag. */
  async #ingest(): Promise<void> {
    const { client } = this.#options;
    await client.query('begin');
    const added: readonly (readonly [Source, string[]])[] = [
      ['intellectual_objects', await this.#insert('intellectual_objects', 1)],
      ['generic_files', await this.#insert('generic_files', 20)],
      ['premis_events', await this.#insert('premis_events', 20)],
      ['work_items', await this.#insert('work_items', 1)],
    ];
    await client.query('commit');
    for (const [source, ids] of added) this.#keep(source, ids);
  }

  async #rollBack(source: Source): Promise<void> {
    const { client } = this.#options;
    await client.query('begin');
    await this.#insert(source, 50);
    await this.#delete(source, this.#own[source].slice(0, 20));
    await client.query('rollback');
  }

  async #update(source: Source, assignments: string, ids: readonly string[]): Promise<void> {
    const text = `update public.${source} set ${assignments} where id = any ($1)`;
    await this.#options.client.query(text, [ids]);
  }

  async #delete(source: Source, ids: readonly string[]): Promise<void> {
    await this.#options.client.query(`delete from public.${source} where id = any ($1)`, [ids]);
  }

  #keep(source: Source, ids: readonly string[]): void {
    this.#own[source].push(...ids);
  }

  /** Returns a condition for adjacent rows of its own. */
  #some(source: Source, count: number): string[] {
    const own = this.#own[source];
    const from = this.#random.int(0, Math.max(0, own.length - count));
    return own.slice(from, from + count);
  }
}
