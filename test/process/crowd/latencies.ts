import { quantile } from '../../../bench/recorder.js';
import { renderTable } from '../../../bench/table.js';

/** The durations of each kind of work in milliseconds, measured in its session. */
export class Latencies {
  readonly #byKind = new Map<string, number[]>();

  /** Runs `work` and records its duration; a failure has none. */
  async time<Result>(kind: string, work: () => Promise<Result>): Promise<Result> {
    const begin = performance.now();
    const result = await work();
    const times = this.#byKind.get(kind) ?? [];
    times.push(performance.now() - begin);
    this.#byKind.set(kind, times);
    return result;
  }

  /** Adds the durations of another session. */
  include(other: Latencies): void {
    for (const kind of other.kinds) {
      this.#byKind.set(kind, [...this.of(kind), ...other.of(kind)]);
    }
  }

  get kinds(): string[] {
    return [...this.#byKind.keys()].sort();
  }

  /** Returns the durations of one kind, or of all. */
  of(kind?: string): number[] {
    if (kind !== undefined) return this.#byKind.get(kind) ?? [];
    return [...this.#byKind.values()].flat();
  }
}

/** Returns a row for each kind and phase, with the phases of a kind together. */
export function renderLatencies(
  phases: readonly { readonly phase: { name: string }; readonly latencies: Latencies }[],
): string {
  const kinds = [...new Set(phases.flatMap(({ latencies }) => latencies.kinds))].sort();
  const rows = [...kinds, undefined].flatMap((kind) =>
    phases.map(({ phase, latencies }) => {
      const times = latencies.of(kind);
      const figures = [0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(2));
      return [kind ?? 'all of these', phase.name, String(times.length), ...figures];
    }),
  );
  return renderTable(['transaction', 'phase', 'times', 'p50 ms', 'p99 ms', 'max ms'], rows);
}
