/** Options of `migrate` and `uninstall` for tests that stop nothing and show no progress. */
export const quietly = {
  lockTimeoutMs: 5_000,
  signal: new AbortController().signal,
  onProgress: (): void => undefined,
};

/** The same, for `migrate` in a database that may be empty. */
export const migrateQuietly = { ...quietly, allowLaunchSchema: true };
