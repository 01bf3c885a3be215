import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { errorCodeOf, sqlstate } from '../src/db/sqlstate.js';

/** Institution and storage option of an object that exists, for a new one. */
export interface Donor {
  readonly institutionId: number;
  readonly storageOption: string;
}

/** Ends of transactions, by the clock of `performance.now()`. */
export interface Written {
  /** `ms` includes failed attempts. */
  readonly commits: { readonly at: number; readonly ms: number }[];
  readonly deadlocks: { readonly at: number }[];
}

interface Ingested extends Donor {
  readonly objectId: number;
  readonly fileIds: readonly number[];
}

const filesPerObject = 4;
const deletionShare = 0.1;

const insertObject = {
  name: 'object',
  text: `insert into public.intellectual_objects (
      title, identifier, access, bag_name, institution_id, created_at, updated_at, state,
      storage_option
    )
    values ($1, $1, 'institution', $1, $2, localtimestamp, localtimestamp, 'A', $3)
    returning id`,
};

const insertFile = {
  name: 'file',
  text: `insert into public.generic_files (
      file_format, size, identifier, intellectual_object_id, created_at, updated_at, state,
      last_fixity_check, institution_id, storage_option, uuid, mod_time
    )
    values ('text/plain', $1, $2, $3, localtimestamp, localtimestamp, 'A',
      localtimestamp, $4, $5, gen_random_uuid(), localtimestamp)
    returning id`,
};

const insertEvent = {
  name: 'event',
  text: `insert into public.premis_events (
      identifier, event_type, date_time, outcome_detail, detail, object, agent,
      intellectual_object_id, generic_file_id, created_at, updated_at, outcome, institution_id
    )
    values (gen_random_uuid(), $1, localtimestamp, 'bench', 'bench', 'preservation services',
      'https://agent.example.edu', $2, $3, localtimestamp, localtimestamp, 'Success', $4)`,
};

const deleteFile = {
  name: 'file deleted',
  text: `update public.generic_files set state = 'D', updated_at = localtimestamp where id = $1`,
};

const deleteObject = {
  name: 'object deleted',
  text: `update public.intellectual_objects set state = 'D', updated_at = localtimestamp
    where id = $1`,
};

/**
 * A session that writes without a pause, like Registry: prepared statements, one row each. A
 * transaction ingests an object with its files and events, or deletes the files of an older object
 * and then the object. So the two kinds change the tables in a different order.
 */
export class IngestWriter {
  readonly #client: pg.Client;
  readonly #donors: readonly Donor[];
  readonly #own: Ingested[] = [];

  constructor(client: pg.Client, donors: readonly Donor[]) {
    this.#client = client;
    this.#donors = donors;
  }

  /** Writes until the time `until`, and ends the last transaction. */
  async write(until: number): Promise<Written> {
    const written: Written = { commits: [], deadlocks: [] };
    while (performance.now() < until) {
      const startedAt = performance.now();
      const old = Math.random() < deletionShare ? this.#own.shift() : undefined;
      while (!(await this.#transact(old))) written.deadlocks.push({ at: performance.now() });
      const at = performance.now();
      written.commits.push({ at, ms: at - startedAt });
    }
    return written;
  }

  /** Returns false if the server ended the transaction to resolve a deadlock. */
  async #transact(old: Ingested | undefined): Promise<boolean> {
    try {
      await this.#client.query('begin');
      const ingested = old === undefined ? await this.#ingest() : undefined;
      if (old !== undefined) await this.#delete(old);
      await this.#client.query('commit');
      if (ingested !== undefined) this.#own.push(ingested);
      return true;
    } catch (error) {
      if (errorCodeOf(error) !== sqlstate.deadlockDetected) throw error;
      await this.#client.query('rollback');
      return false;
    }
  }

  async #ingest(): Promise<Ingested> {
    const donor = this.#donors[Math.floor(Math.random() * this.#donors.length)];
    if (donor === undefined) throw new Error('expected an object to copy, found none');
    const { institutionId, storageOption } = donor;
    const name = `bench/${randomUUID()}`;
    const objectId = await this.#insert(insertObject, [name, institutionId, storageOption]);
    const object = { ...donor, objectId };
    const fileIds: number[] = [];
    for (let file = 1; file <= filesPerObject; file += 1) {
      const size = Math.floor(Math.random() * 1e7);
      const values = [size, `${name}/${file}`, objectId, institutionId, storageOption];
      const fileId = await this.#insert(insertFile, values);
      fileIds.push(fileId);
      await this.#addEvent('ingestion', object, fileId);
      await this.#addEvent('message digest calculation', object, fileId);
    }
    await this.#addEvent('creation', object);
    return { ...object, fileIds };
  }

  async #delete(object: Ingested): Promise<void> {
    for (const fileId of object.fileIds) {
      await this.#client.query({ ...deleteFile, values: [fileId] });
      await this.#addEvent('deletion', object, fileId);
    }
    await this.#client.query({ ...deleteObject, values: [object.objectId] });
  }

  async #insert(statement: { name: string; text: string }, values: unknown[]): Promise<number> {
    const { rows } = await this.#client.query<{ id: number }>({ ...statement, values });
    const [row] = rows;
    if (row === undefined)
      throw new Error(`expected the id of a new ${statement.name}, found none`);
    return row.id;
  }

  async #addEvent(
    type: string,
    { objectId, institutionId }: Omit<Ingested, 'fileIds'>,
    fileId: number | null = null,
  ): Promise<void> {
    await this.#client.query({ ...insertEvent, values: [type, objectId, fileId, institutionId] });
  }
}

/** Returns a thousand objects, evenly spread, so that large institutions come as often as they do. */
export async function readDonors(client: pg.Client): Promise<Donor[]> {
  const { rows } = await client.query<Donor>(
    `select institution_id as "institutionId", storage_option as "storageOption"
    from public.intellectual_objects
    where institution_id is not null
      and id % greatest(1, (select max(id) / 1000 from public.intellectual_objects)) = 0`,
  );
  return rows;
}
