/** One statement of a SQL file. */
export interface SqlStatement {
  readonly text: string;
  /** The line of its first word, from 1. */
  readonly line: number;
}

/**
 * Splits a SQL script at its top-level semicolons, as psql does, so that an error can name its
 * line. Supports quotes, E'' escapes, dollar quotes and nested comments. Does not support `begin
 * atomic` bodies; use a quoted body.
 */
export function splitStatements(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let start = 0;
  let position = 0;

  const push = (end: number): void => {
    const first = skipBlank(sql, start, end);
    if (first < end) {
      statements.push({ text: sql.slice(first, end).trimEnd(), line: lineAt(sql, first) });
    }
  };

  while (position < sql.length) {
    if (sql[position] === ';') {
      push(position);
      start = ++position;
    } else {
      position = skipToken(sql, position);
    }
  }
  push(sql.length);
  return statements;
}

/** Returns the line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
  }
  return line;
}

/** Returns the offset after the quote, comment, word or character at `at`. */
function skipToken(sql: string, at: number): number {
  const char = sql[at] ?? '';
  const two = sql.slice(at, at + 2);
  if (two === '--') return skipPast(sql, '\n', at + 2);
  if (two === '/*') return skipBlockComment(sql, at);
  if (char === "'") return skipQuoted(sql, at, "'", false);
  if (char === '"') return skipQuoted(sql, at, '"', false);
  if (/^[eE]'/.test(two)) return skipQuoted(sql, at + 1, "'", true);
  if (char === '$') return skipDollarQuoted(sql, at);
  if (/[\p{L}_]/u.test(char)) return skipWord(sql, at);
  return at + 1;
}

/** Skips a whole word, because an E or $ inside it opens nothing. */
function skipWord(sql: string, at: number): number {
  let end = at + 1;
  while (end < sql.length && /[\p{L}\p{N}_$]/u.test(sql[end] ?? '')) end++;
  return end;
}

function skipPast(sql: string, needle: string, from: number): number {
  const found = sql.indexOf(needle, from);
  return found === -1 ? sql.length : found + needle.length;
}

function skipQuoted(sql: string, open: number, quote: string, hasEscapes: boolean): number {
  let at = open + 1;
  while (at < sql.length) {
    if (hasEscapes && sql[at] === '\\') at += 2;
    else if (sql[at] !== quote) at++;
    else if (sql[at + 1] === quote) at += 2;
    else return at + 1;
  }
  return sql.length;
}

function skipDollarQuoted(sql: string, at: number): number {
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(sql.slice(at, at + 130))?.[0];
  return tag === undefined ? at + 1 : skipPast(sql, tag, at + tag.length);
}

function skipBlockComment(sql: string, open: number): number {
  let depth = 0;
  let at = open;
  while (at < sql.length) {
    const two = sql.slice(at, at + 2);
    if (two === '/*') depth++;
    if (two === '*/') depth--;
    at += two === '/*' || two === '*/' ? 2 : 1;
    if (depth === 0) return at;
  }
  return sql.length;
}

/** Returns the offset of the first character that is neither white space nor comment. */
function skipBlank(sql: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const two = sql.slice(at, at + 2);
    if (two === '--' || two === '/*') at = skipToken(sql, at);
    else if (/\s/.test(sql[at] ?? '')) at++;
    else return at;
  }
  return end;
}
