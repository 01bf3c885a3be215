import type pg from 'pg';
import { splitStatements } from '../../src/schema/split-statements.js';

/**
 * Runs a SQL file like `psql -f`: each statement by itself, also after an error. Returns the
 * errors.
 */
export async function runScript(client: pg.Client, text: string): Promise<string[]> {
  const errors: string[] = [];
  for (const statement of splitStatements(text)) {
    try {
      await client.query(statement.text);
    } catch (error) {
      errors.push((error as Error).message);
    }
  }
  return errors;
}
