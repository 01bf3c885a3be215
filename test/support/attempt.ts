import type pg from 'pg';

/** What nobody can do with such an object, whatever the rights: no view takes a row, for example. */
const impossible = new Set(['42809', '55000', '0A000']);

/**
 * Tries each statement by itself and takes its effect back. Gives those that were not refused, with the
 * error code of the ones that failed for another reason: there the right was not what stopped it.
 */
export async function findAllowed(
  client: pg.Client,
  attempts: Readonly<Record<string, string>>,
): Promise<string[]> {
  const allowed: string[] = [];
  for (const [name, statement] of Object.entries(attempts)) {
    await client.query('begin');
    const code = await client.query(statement).then(
      () => undefined,
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );
    await client.query('rollback');
    if (code === undefined) allowed.push(name);
    else if (code !== '42501' && !impossible.has(code)) allowed.push(`${name}: ${code}`);
  }
  return allowed.sort();
}
