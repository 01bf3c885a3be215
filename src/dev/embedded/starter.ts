import { clusterMajor, createCluster } from './cluster.js';
import type { Identity } from './identity.js';
import { launchPostgres, type Launch } from './launch.js';
import { preparePlace, type Place } from './place.js';
import { findPlatformPackage } from './platform-package.js';
import { prepareRuntime, type Runtime } from './runtime.js';
import type { EmbeddedOptions } from './types.js';
import { unavailable } from './unavailable.js';

// Backends of a killed server notice and leave, but one in a long statement takes its time.
const memoryInUseMs = 15_000;
const logTailLines = 20;

/** Starts the server, as often as it takes: `advance` is called for as long as nobody serves. */
export class Starter {
  isNew = false;
  #launch: Launch | undefined;
  #prepared: { place: Place; runtime: Runtime } | undefined;
  #memoryInUseSince: number | undefined;

  constructor(
    private readonly identity: Identity,
    private readonly options: EmbeddedOptions,
  ) {}

  hasStarted(pid: number): boolean {
    return this.#launch?.pid === pid;
  }

  async advance(): Promise<void> {
    if (this.#launch?.isRunning() === true) return;
    if (this.#launch !== undefined) await this.#judgeFailure(this.#launch);
    const { place, runtime } = (this.#prepared ??= await this.#prepare());
    this.options.signal?.throwIfAborted();
    this.#launch = await launchPostgres(place, runtime, this.options.settings);
  }

  /** Called when the caller gives up while the server is on its way up. */
  abandon(): void {
    this.#launch?.abandon();
  }

  async #prepare(): Promise<{ place: Place; runtime: Runtime }> {
    const { dataDir, accounts, resolveFrom, settings, signal, onProgress } = this.options;
    const found = await findPlatformPackage(resolveFrom);
    const place = await preparePlace(dataDir, this.identity, accounts);
    const runtime = await prepareRuntime(found, place.runtimes, place.account !== undefined);
    const major = await clusterMajor(place.cluster);
    if (major === undefined) {
      onProgress?.(`initialising PostgreSQL ${runtime.major} in ${place.cluster}`);
      const isDurable = settings?.['fsync'] !== 'off';
      this.isNew = await createCluster(place, this.identity, runtime, { isDurable, signal });
    } else if (major !== runtime.major) {
      throw unavailable(
        `expected ${place.cluster} to hold data of PostgreSQL ${runtime.major}, found ${major}`,
        { hint: `remove ${place.dataDir} to start afresh` },
      );
    }
    onProgress?.(`starting PostgreSQL ${runtime.major}`);
    return { place, runtime };
  }

  // The server has no other channel than its log to say why it went; LC_ALL=C fixes the language.
  async #judgeFailure(launch: Launch): Promise<void> {
    // Another process adopted it and, as its last user, stopped it before we came to see it.
    if (launch.hasStopped()) return;
    const log = await launch.log();
    const isPortTaken = log.includes('could not create any TCP/IP sockets');
    const isAnotherStarting = /lock file ".*" already exists|lock file ".*" is empty/.test(log);
    if (isPortTaken || isAnotherStarting) return;
    if (/shared memory block .* is still in use/.test(log)) {
      this.#memoryInUseSince ??= Date.now();
      if (Date.now() - this.#memoryInUseSince < memoryInUseMs) return;
      throw unavailable(
        'expected the processes of a killed server to end, ' +
          `found some still at work after ${memoryInUseMs / 1000} s: ${lastLines(log)}`,
        { hint: 'end those postgres processes' },
      );
    }
    throw unavailable(`expected PostgreSQL to start, found that it ended: ${lastLines(log)}`, {
      hint: `see ${launch.logFile}`,
    });
  }
}

function lastLines(log: string): string {
  return log.split('\n').slice(-logTailLines).join('\n');
}
