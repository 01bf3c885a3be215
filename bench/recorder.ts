/** Who was measured: the state of 001, the incremental state, or the bare scan of the tables. */
export type Subject = 'baseline' | 'incremental' | 'scan';

type Unit = 'ms' | 'µs';

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

  summary(scenario: string, subject: Subject, files: number): Summary | undefined {
    const series = this.#series.get(`${scenario}/${subject}/${files}`);
    return series && summarize(series.values);
  }
}

/** Median with the tenth and the ninetieth percentile. */
function summarize(values: readonly number[]): Summary {
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
