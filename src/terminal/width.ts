/** The width of a terminal that does not report one, and of a page for other streams. */
const usualWidth = 80;

/** Returns how many characters a line of the terminal may have. */
export function widthOf({ columns }: Pick<NodeJS.WriteStream, 'columns'>): number {
  return columns > 0 ? columns : usualWidth;
}

/** Shortens a line. The last character of a shortened one is "…". */
export function cut(line: string, width: number): string {
  const characters = Array.from(line);
  if (characters.length <= width) return line;
  return `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Breaks a line between words. Longer words stay whole. */
export function wrap(line: string, width: number): string {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && Array.from(longer).length > width) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return [...lines, current].join('\n');
}
