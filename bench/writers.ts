import { setTimeout as delay } from 'node:timers/promises';
import { IngestWriter, readDonors } from './ingest-writer.js';
import type { Pair } from './pair.js';
import { createPeers, type Peer } from './peers.js';
import { quantile, type Recorder, type Subject } from './recorder.js';
import { connect } from './server.js';
import { captureTriggers, enableOnly } from './triggers.js';

export const writerCounts = [1, 4, 8] as const;

export const writing = {
  rate: 'transactions a second',
  median: 'transaction, median',
  p99: 'transaction, p99',
  deadlocks: 'deadlocks',
} as const;

export function withWriters(writers: number, what: string): string {
  return `${what}, writers: ${writers}`;
}

interface Block {
  /** Transactions a second. */
  readonly rate: number;
  /** In ms. */
  readonly times: readonly number[];
  readonly deadlocks: number;
}

interface WritersOptions {
  readonly rounds?: number;
  /** The peers to measure; all unless given. */
  readonly subjects?: readonly Subject[];
}

/** Blocks of each peer with each number of writers. */
const defaultRounds = 5;
const warmUpMs = 500;
const blockMs = 5_000;

/**
 * Measures ingest by several writers at once, without statistics and with each peer, in turn, in one
 * database. Each block is one measurement. The first round compares the peers' figures with the
 * tables. Leaves capture on.
 */
export async function measureWriters(
  pair: Pair,
  recorder: Recorder,
  { rounds = defaultRounds, subjects }: WritersOptions = {},
): Promise<void> {
  const { address, incremental, files } = pair;
  const peers = (await createPeers(pair)).filter(
    ({ subject }) => subjects?.includes(subject) ?? true,
  );
  const donors = await readDonors(incremental.client);
  const clients = await Promise.all(
    Array.from({ length: Math.max(...writerCounts) }, () => connect(address, incremental.name)),
  );
  const writers = clients.map((client) => new IngestWriter(client, donors));
  let block = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const count of writerCounts) {
        block += 1;
        for (const peer of rotate(peers, block)) {
          await peer.on();
          const result = await writeBlock(writers.slice(0, count), peer);
          if (round === 0) await peer.assertExact?.();
          await peer.off();
          recordBlock(recorder, peer, count, files, result);
        }
      }
    }
  } finally {
    for (const client of clients) await client.end();
    await enableOnly(incremental.client, captureTriggers);
  }
}

/** Every peer is first at some time. */
function rotate(peers: readonly Peer[], by: number): Peer[] {
  const first = by % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}

/** Returns what ended after the warm-up. */
async function writeBlock(writers: readonly IngestWriter[], peer: Peer): Promise<Block> {
  const from = performance.now() + warmUpMs;
  const until = from + blockMs;
  const [written] = await Promise.all([
    Promise.all(writers.map((writer) => writer.write(until))),
    refreshUntil(until, peer),
  ]);
  const commits = written.flatMap((one) => one.commits).filter(({ at }) => at >= from);
  const deadlocks = written.flatMap((one) => one.deadlocks).filter(({ at }) => at >= from);
  return {
    rate: commits.filter(({ at }) => at < until).length / (blockMs / 1_000),
    // Also of those that ended late: the slowest are among them.
    times: commits.map(({ ms }) => ms),
    deadlocks: deadlocks.length,
  };
}

async function refreshUntil(until: number, peer: Peer): Promise<void> {
  while (peer.refresh !== undefined && performance.now() < until) {
    await peer.refresh();
    await delay(1_000);
  }
}

function recordBlock(
  recorder: Recorder,
  { subject }: Peer,
  count: number,
  files: number,
  { rate, times, deadlocks }: Block,
): void {
  const add = (what: string, value: number, unit: 'ms' | '1/s' | 'count') => {
    recorder.add(withWriters(count, what), subject, files, value, unit);
  };
  add(writing.rate, rate, '1/s');
  add(writing.median, quantile(times, 0.5), 'ms');
  add(writing.p99, quantile(times, 0.99), 'ms');
  add(writing.deadlocks, deadlocks, 'count');
}
