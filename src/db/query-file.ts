import { readFile } from 'node:fs/promises';

/** Reads the text of a query from `sql/queries/<name>.sql`. */
export function readQuery(name: string): Promise<string> {
  return readFile(new URL(`../../sql/queries/${name}.sql`, import.meta.url), 'utf8');
}
