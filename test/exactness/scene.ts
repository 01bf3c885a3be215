import { EventEmitter, once } from 'node:events';

/** What all the sessions of one random run have in common: progress, counters, and what went wrong. */
export class Scene {
  readonly counts: Record<string, number> = {};
  readonly failures: Record<string, number> = {};
  readonly problems: unknown[] = [];
  readonly #events = new EventEmitter().setMaxListeners(0);
  #isOver = false;
  #isPaused = false;
  #active = 0;
  #late = 0;

  get isOver(): boolean {
    return this.#isOver || this.problems.length > 0;
  }

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  fail(code: string): void {
    this.failures[code] = (this.failures[code] ?? 0) + 1;
  }

  /** The first problem ends the run: what follows from it would only hide it. */
  problem(what: unknown): void {
    this.problems.push(what);
    this.signal('progress', 'run', 'resume', 'idle');
  }

  finish(): void {
    this.#isOver = true;
    this.signal('progress', 'run', 'resume', 'idle');
  }

  /** `progress`: a writer got on. `run`: a fold or a refresh was tried. */
  signal(...events: ('progress' | 'run' | 'resume' | 'idle')[]): void {
    for (const event of events) this.#events.emit(event);
  }

  /** Waits for so many signals to come; at once when the run is over. */
  async next(event: 'progress' | 'run', times = 1): Promise<void> {
    for (let seen = 0; seen < times && !this.isOver; seen++) await once(this.#events, event);
  }

  /** A writer lets two runs go by before it commits. */
  async untilRun(): Promise<void> {
    this.#late++;
    try {
      this.signal('progress');
      await this.next('run', 2);
    } finally {
      this.#late--;
    }
  }

  /** The pace of the runs: by what the writers do, and at once while one of them waits for a run. */
  async nextRun(progress: number): Promise<void> {
    for (let seen = 0; seen < progress && this.#late === 0 && !this.isOver; seen++) {
      await once(this.#events, 'progress');
    }
  }

  /** A writer's transaction: none begins while the scene is quiet. */
  async act(work: () => Promise<void>): Promise<void> {
    while (this.#isPaused && !this.isOver) await once(this.#events, 'resume');
    this.#active++;
    try {
      await work();
    } finally {
      this.#active--;
      this.signal('progress');
      if (this.#active === 0) this.signal('idle');
    }
  }

  /** Runs `work` while no writer is within a transaction. */
  async quiet(work: () => Promise<void>): Promise<void> {
    this.#isPaused = true;
    try {
      while (this.#active > 0 && !this.isOver) await once(this.#events, 'idle');
      await work();
    } finally {
      this.#isPaused = false;
      this.signal('resume');
    }
  }
}
