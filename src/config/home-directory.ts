/**
 * Returns what is missing if the AWS SDK found no home directory: it looks for its files there, also
 * if there are none. A user id without an entry in passwd has no home, unless HOME is set.
 */
export function findHomeFault(error: unknown): string | undefined {
  if ((error as { syscall?: unknown } | undefined)?.syscall !== 'uv_os_homedir') return undefined;
  return `user ${process.getuid?.() ?? 'of this process'} has no home directory, and HOME is not set`;
}

export const homeHint = 'Set HOME to any directory, for example HOME=/tmp.';
