import { EventEmitter, once } from 'node:events';

/** The shared state of one random run: progress, counters and problems. */
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

  /** Ends the run at the first problem, because its consequences would hide it. */
  problem(what: unknown): void {
    this.problems.push(what);
    this.signal('progress', 'run', 'resume', 'idle');
  }

  finish(): void {
    this.#isOver = true;
    this.signal('progress', 'run', 'resume', 'idle');
  }

  /** `progress`: a writer advanced. `run`: a fold or refresh was tried. */
  signal(...events: ('progress' | 'run' | 'resume' | 'idle')[]): void {
    for (const event of events) this.#events.emit(event);
  }

  /** Waits for `times` signals; returns at once when the run is over. */
  async next(event: 'progress' | 'run', times = 1): Promise<void> {
    for (let seen = 0; seen < times && !this.isOver; seen++) await once(this.#events, event);
  }

  /** Lets a writer wait for two runs before it commits. */
  async untilRun(): Promise<void> {
    this.#late++;
    try {
      this.signal('progress');
      await this.next('run', 2);
    } finally {
      this.#late--;
    }
  }

  /** Waits before the next run: for progress of the writers, or until one waits for a run. */
  async nextRun(progress: number): Promise<void> {
    for (let seen = 0; seen < progress && this.#late === 0 && !this.isOver; seen++) {
      await once(this.#events, 'progress');
    }
  }

  /** Runs a writer's transaction. None begins during `quiet`. */
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

  /** Runs `work` while no writer is in a transaction. */
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
