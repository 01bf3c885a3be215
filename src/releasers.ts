/** Releases resources in reverse order. */
export interface Releasers {
  /** Call it immediately after acquiring. */
  add(release: () => Promise<void> | void): void;
  /** Releases everything, continues after a failure, then throws the first one. Runs once. */
  releaseAll(): Promise<void>;
}

export function createReleasers(): Releasers {
  const releasers: (() => Promise<void> | void)[] = [];
  return {
    add: (release) => {
      releasers.push(release);
    },
    releaseAll: async () => {
      const failures: unknown[] = [];
      for (let release = releasers.pop(); release !== undefined; release = releasers.pop()) {
        try {
          await release();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
