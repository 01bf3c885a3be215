import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SqlFile {
  /** The file name without `.sql`; the version of a migration. */
  readonly name: string;
  /** The path from the project's root, for people. */
  readonly path: string;
  readonly text: string;
}

/** All SQL files, each list in the order it runs. */
export interface SqlFiles {
  readonly schema: readonly SqlFile[];
  readonly migrations: readonly SqlFile[];
  readonly functions: readonly SqlFile[];
}

/** The folder shipped with the program; the same path from `src/` and `dist/`. */
export const sqlRoot = fileURLToPath(new URL('../../sql', import.meta.url));

export async function readSqlFiles(root: string = sqlRoot): Promise<SqlFiles> {
  const tables = await readSqlFile(path.join(root, 'schema/tables.sql'));
  const views = await readSqlFolder(path.join(root, 'schema/views'));
  return {
    schema: [tables, ...views],
    migrations: await readSqlFolder(path.join(root, 'migrations')),
    functions: await readFunctions(root),
  };
}

/** Reads folder by folder. Privileges come last, because they need all objects. */
async function readFunctions(root: string): Promise<SqlFile[]> {
  const folder = path.join(root, 'functions');
  const entries = await readdir(folder, { withFileTypes: true }).catch(nothingIfMissing);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const parts = await Promise.all(
    names.sort().map((name) => readSqlFolder(path.join(folder, name))),
  );
  const flat = await readSqlFolder(folder);
  const views = await readSqlFolder(path.join(root, 'views'));
  const privileges = await readSqlFile(path.join(root, 'privileges.sql')).catch(nothingIfMissing);
  return [...parts.flat(), ...flat, ...views, privileges].flat();
}

function nothingIfMissing(error: unknown): never[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}

/** Reads a part of the script that `migrate --print` prints, from `sql/scripts/<name>.sql`. */
export async function readScript(name: string): Promise<string> {
  return (await readSqlFile(path.join(sqlRoot, `scripts/${name}.sql`))).text;
}

export async function readSqlFile(file: string): Promise<SqlFile> {
  const shown = path.join('sql', path.relative(sqlRoot, file));
  return {
    name: path.basename(file, '.sql'),
    path: shown.startsWith(`sql${path.sep}..`) ? file : shown,
    text: await readFile(file, 'utf8'),
  };
}

/** Returns the checksum of the functions. They are replayed if the recorded one differs. */
export function checksumOf(files: readonly SqlFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.name}\0${file.text}\0`);
  return hash.digest('hex');
}

/** Reads a folder. A missing one is empty, because git keeps no empty folders. */
async function readSqlFolder(folder: string): Promise<SqlFile[]> {
  const names: string[] = await readdir(folder).catch(nothingIfMissing);
  const sorted = names.filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(sorted.map((name) => readSqlFile(path.join(folder, name))));
}
