/** Releases what was acquired, in reverse order. */
export interface Releasers {
  /** Call it at once after acquiring. */
  add(release: () => Promise<void> | void): void;
  /** Releases everything, past failures; throws the first one at the end. Once only. */
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
