type Line = Readonly<Record<string, unknown>>;
type Matches = (line: Line) => boolean;

/**
 * Returns whether a JSON line matches a filter pattern of CloudWatch Logs: comparisons of fields with
 * texts and numbers, `&&`, `||` and parentheses. Throws on anything else.
 */
export function parseFilterPattern(pattern: string): Matches {
  const tokens = pattern.match(/"[^"]*"|\$\.\w+|-?\d+|&&|\|\||[<>]=?|=|[{}()]|\S+/g) ?? [];

  function expectToken(form: RegExp): string {
    const token = tokens.shift() ?? 'the end';
    if (!form.test(token)) throw new Error(`expected ${String(form)}, found ${token}: ${pattern}`);
    return token;
  }

  function parseAny(): Matches {
    const parts = [parseAll()];
    while (tokens[0] === '||') {
      tokens.shift();
      parts.push(parseAll());
    }
    return (line) => parts.some((matches) => matches(line));
  }

  function parseAll(): Matches {
    const parts = [parseTerm()];
    while (tokens[0] === '&&') {
      tokens.shift();
      parts.push(parseTerm());
    }
    return (line) => parts.every((matches) => matches(line));
  }

  function parseTerm(): Matches {
    if (tokens[0] !== '(') return parseComparison();
    tokens.shift();
    const inner = parseAny();
    expectToken(/^\)$/);
    return inner;
  }

  function parseComparison(): Matches {
    const field = expectToken(/^\$\.\w+$/).slice(2);
    const operator = expectToken(/^(=|[<>]=?)$/);
    const isText = tokens[0]?.startsWith('"') === true;
    const value = JSON.parse(expectToken(/^("[^"]*"|-?\d+)$/)) as string | number;
    if (isText && operator !== '=') throw new Error(`expected a number: ${pattern}`);
    return (line) => compare(line[field], operator, value);
  }

  expectToken(/^\{$/);
  const matches = parseAny();
  expectToken(/^\}$/);
  if (tokens.length > 0) throw new Error(`expected the end, found ${tokens.join(' ')}: ${pattern}`);
  return matches;
}

function compare(found: unknown, operator: string, value: string | number): boolean {
  if (operator === '=') return found === value;
  if (typeof found !== 'number' || typeof value !== 'number') return false;
  if (operator.endsWith('=') && found === value) return true;
  return operator.startsWith('<') ? found < value : found > value;
}
