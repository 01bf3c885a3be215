import type pg from 'pg';

/** Errors for actions that are impossible with any rights, such as an insert into some views. */
const impossible = new Set(['42809', '55000', '0A000']);

/**
 * Tries each statement and rolls it back. Returns those that were not refused. Includes the error
 * code of statements that failed for another reason than a missing right.
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
