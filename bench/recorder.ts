/**
 * Who was measured: the state of 001 (for writers: no statistics), the incremental state, the bare
 * scan of the tables, or a peer.
 */
export type Subject = 'baseline' | 'incremental' | 'scan' | 'refreshed' | 'row triggers' | 'pg_ivm';

type Unit = 'ms' | 'µs' | '1/s' | 'count' | 'bytes';

/** All measurements of one thing. */
interface Series {
  readonly scenario: string;
  readonly subject: Subject;
  readonly files: number;
  readonly unit: Unit;
  readonly values: readonly number[];
}

export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

/** Collects single measurements; prints nothing. */
export class Recorder {
  readonly #series = new Map<string, Series & { values: number[] }>();

  add(scenario: string, subject: Subject, files: number, value: number, unit: Unit = 'ms'): void {
    const key = `${scenario}/${subject}/${files}`;
    const series = this.#series.get(key) ?? { scenario, subject, files, unit, values: [] };
    series.values.push(value);
    this.#series.set(key, series);
  }

  /** Runs `work` and records how long it took. */
  async time(
    scenario: string,
    subject: Subject,
    files: number,
    work: () => Promise<unknown>,
  ): Promise<void> {
    const startedAt = performance.now();
    await work();
    this.add(scenario, subject, files, performance.now() - startedAt);
  }

  all(): readonly Series[] {
    return [...this.#series.values()];
  }

  /** Returns the measurements in their order; an empty list if there are none. */
  values(scenario: string, subject: Subject, files: number): readonly number[] {
    return this.#series.get(`${scenario}/${subject}/${files}`)?.values ?? [];
  }

  summary(scenario: string, subject: Subject, files: number): Summary | undefined {
    const values = this.values(scenario, subject, files);
    return values.length === 0 ? undefined : summarize(values);
  }
}

/** Median with the tenth and the ninetieth percentile. */
export function summarize(values: readonly number[]): Summary {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.1),
    high: quantile(values, 0.9),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    p99: quantile(values, 0.99),
    max: quantile(values, 1),
    count: values.length,
  };
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}
