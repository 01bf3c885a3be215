import { readFile } from 'node:fs/promises';

/** Returns the version in package.json; works from the sources and from the build. */
export async function readVersion(): Promise<string> {
  const file = new URL('../package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string };
  return version;
}
