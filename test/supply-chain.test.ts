import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

interface Package {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(
  await readFile(new URL('../package-lock.json', import.meta.url), 'utf8'),
) as { readonly packages: Readonly<Record<string, Package>> };

/** Without the project itself. */
const packages = Object.entries(lock.packages).filter(([place]) => place !== '');

/** The packages that the image installs. */
const isProduction = ({ dev, optional, devOptional }: Package): boolean =>
  dev !== true && optional !== true && devOptional !== true;

function placesOf(found: (entry: Package) => boolean): string[] {
  return packages.filter(([, entry]) => found(entry)).map(([place]) => place);
}

test('each package of the lockfile has a hash, and none an address', () => {
  expect(placesOf(({ integrity }) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))).toEqual([]);
  expect(placesOf(({ resolved, link }) => resolved !== undefined || link === true)).toEqual([]);
});

test('no package in production runs a script when it is installed', () => {
  expect(placesOf(isProduction).length).toBeGreaterThan(50);
  expect(placesOf((entry) => isProduction(entry) && entry.hasInstallScript === true)).toEqual([]);
});
