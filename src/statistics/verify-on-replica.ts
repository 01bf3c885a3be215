import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { describeFailure, errorCodeOf, sqlstate } from '../db/sqlstate.js';
import type { Query } from '../db/transaction.js';
import { AppError } from '../errors.js';
import {
  expectIncremental,
  verify,
  type Comparison,
  type ReplicaRead,
  type VerifyOptions,
} from './verify.js';

interface Servers {
  /** The primary. */
  readonly database: Database;
  readonly replica: Database | undefined;
}

interface ReplicaOptions extends VerifyOptions {
  /** How long the replica may take to replay what the primary has at the begin. */
  readonly longestLagMs?: number;
}

/** An ingest may keep a replica busy for minutes. */
const defaultLongestLagMs = 300_000;
const pollIntervalMs = 250;

/**
 * Verifies on the replica if there is one, else on the primary. A replica is first given time to
 * replay what the primary has now, so the result is as new as one of the primary.
 * @throws AppError REPLICA_UNUSABLE if the replica cannot be used: no figure was found wrong
 * @throws AppError DATABASE_NOT_MIGRATED where there are no incremental statistics to verify
 */
export async function verifyFrom(
  { database, replica }: Servers,
  { longestLagMs = defaultLongestLagMs, ...options }: ReplicaOptions = {},
): Promise<Comparison> {
  if (replica === undefined) return verify(database, options);
  await expectIncremental(database);
  const primary = await readPosition((text, values) => database.read(text, values), null);
  const { host, port } = replica.options.connection;
  const server = `${host}:${port}`;
  try {
    const lagMs = await untilReplayed(replica, primary, { ...options, longestLagMs });
    // Behind one name or pooler there may be several servers, so the snapshot is checked as well.
    const checkServer = async (query: Query): Promise<void> => {
      expectReplayed(await readPosition(query, primary.position), primary);
    };
    const comparison = await verify(replica, { ...options, checkServer });
    return { ...comparison, replica: { server, lagMs } };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unusable(server, error);
  }
}

/** Returns text like "on the replica db:5432, which was 2.3 s behind". */
export function describeReplica({ server, lagMs }: ReplicaRead): string {
  const lag = lagMs === 0 ? 'up to date' : `${(lagMs / 1000).toFixed(1)} s behind`;
  return `on the replica ${server}, which was ${lag}`;
}

interface Position extends Record<string, unknown> {
  readonly isInRecovery: boolean;
  /** The system identifier, which a standby has from its primary. */
  readonly cluster: string;
  /** The oid, which a standby has from its primary. */
  readonly database: string;
  /** In the write-ahead log; null if nothing was replayed yet. */
  readonly position: string | null;
  /** Behind the other position; null if one of both is. */
  readonly bytesBehind: string | null;
  /** The commit time of the last replayed transaction, by the clock of the primary. */
  readonly lastReplayed: Date | null;
}

async function readPosition(query: Query, other: string | null): Promise<Position> {
  const [row] = await query<Position>(await readQuery('replication_position'), [other]);
  if (row === undefined) throw new Error('the server returned no position');
  return row;
}

/** Resolves when the replica has replayed what the primary had. Returns the wait. */
async function untilReplayed(
  replica: Database,
  primary: Position,
  { signal, longestLagMs }: Pick<VerifyOptions, 'signal'> & { longestLagMs: number },
): Promise<number> {
  const start = performance.now();
  for (let lagMs = 0; ; lagMs = performance.now() - start) {
    const found = await readPosition(
      (text, values) => replica.read(text, values),
      primary.position,
    );
    expectStandby(found, primary);
    if (hasReplayed(found)) return lagMs;
    if (lagMs >= longestLagMs) expectReplayed(found, primary);
    await sleep(pollIntervalMs, undefined, signal && { signal });
  }
}

function expectReplayed(found: Position, primary: Position): void {
  expectStandby(found, primary);
  if (hasReplayed(found)) return;
  const last = found.lastReplayed?.toISOString() ?? 'none';
  throw new Error(
    `it is ${found.bytesBehind ?? 'unknown'} bytes of WAL behind; its last transaction: ${last}`,
  );
}

function expectStandby(found: Position, primary: Position): void {
  if (!found.isInRecovery) throw new Error('a server that is not in recovery, so not a standby');
  if (found.cluster !== primary.cluster) {
    throw new Error(
      `a standby of another cluster: system identifier ${found.cluster}, not ${primary.cluster}`,
    );
  }
  if (found.database !== primary.database) {
    throw new Error(`another database: oid ${found.database}, not ${primary.database}`);
  }
}

function hasReplayed({ bytesBehind }: Position): boolean {
  return bytesBehind !== null && Number(bytesBehind) <= 0;
}

function unusable(server: string, error: unknown): AppError {
  // The message and hint of an AppError are about DB_HOST.
  const cause = error instanceof AppError ? (error.cause ?? error) : error;
  return new AppError(
    'REPLICA_UNUSABLE',
    `expected a replica to verify on at ${server}, found: ${describeFailure(cause)}`,
    { hint: hintFor(cause), cause },
  );
}

/** On a standby only a recovery conflict raises a serialization failure. */
function hintFor(cause: unknown): string {
  return errorCodeOf(cause) === sqlstate.serializationFailure
    ? 'set hot_standby_feedback = on at the replica, and max_standby_streaming_delay above the ' +
        'duration of a verification'
    : 'check VERIFY_DB_HOST and VERIFY_DB_PORT; `registry-stats verify --primary` reads from DB_HOST';
}
