import type { Transaction } from '../db/transaction.js';
import { isTransient } from '../db/sqlstate.js';
import { lineAt, splitStatements, type SqlStatement } from './split-statements.js';
import { AppError } from '../errors.js';
import type { SqlFile } from './sql-files.js';

/**
 * Runs a file's statements in the caller's transaction, without the file's own `begin` and
 * `commit`. A failure names file and line, with the server's detail and hint. Throws errors that a
 * retry may fix unchanged.
 */
export async function applyFile(transaction: Transaction, file: SqlFile): Promise<void> {
  for (const statement of unframed(file)) {
    try {
      await transaction.query(statement.text);
    } catch (error) {
      throw isTransient(error) ? error : fileError(file, statement, error);
    }
  }
}

/** Returns the statements without the file's `begin` and `commit`. */
function unframed(file: SqlFile): SqlStatement[] {
  const statements = splitStatements(file.text);
  const inner = statements.filter(({ text }) => !isFrame(text));
  const isFramed = isFrame(statements[0]?.text ?? '') && isFrame(statements.at(-1)?.text ?? '');
  const frames = statements.length - inner.length;
  if (frames === 0 || (frames === 2 && isFramed)) return inner;
  throw new AppError(
    'SQL_FILE_FAILED',
    `${file.path}: expected one transaction, "begin;" first and "commit;" last, found another form`,
  );
}

function isFrame(statement: string): boolean {
  return /^(begin|commit)$/i.test(statement);
}

interface ServerError extends Error {
  position?: string;
  detail?: string;
  hint?: string;
  where?: string;
}

function fileError(file: SqlFile, statement: SqlStatement, error: unknown): AppError {
  const { message, position, detail, hint, where } = error as ServerError;
  const offset = position === undefined ? 0 : Number(position) - 1;
  const line = statement.line + lineAt(statement.text, offset) - 1;
  const lines = [`${file.path}:${line}: ${message}`];
  if (detail !== undefined) lines.push(`detail: ${detail}`);
  if (where !== undefined) lines.push(`where: ${where.split('\n')[0] ?? ''}`);
  return new AppError('SQL_FILE_FAILED', lines.join('\n  '), {
    hint: hint ?? 'this file changed nothing in the database',
    cause: error,
  });
}
