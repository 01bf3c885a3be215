import { readFile } from 'node:fs/promises';

/** The version in package.json, from the sources as from the build. */
export async function readVersion(): Promise<string> {
  const file = new URL('../package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string };
  return version;
}
