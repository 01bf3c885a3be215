import { platform } from 'node:os';

/**
 * The environment of the server's programs, made from nothing: the developer's PG* variables must
 * not reach them, and HOME must be a directory their account may enter.
 * Undefined (inherit) on Windows, whose programs do not start without theirs.
 */
export function serverEnvironment(home: string): Record<string, string> | undefined {
  if (platform() === 'win32') return undefined;
  return { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, LC_ALL: 'C' };
}
