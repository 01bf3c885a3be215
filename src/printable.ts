/** Controls, and what makes a terminal write from right to left or begin a line. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** What was found elsewhere, as it may go to a terminal: on one line, with no say over the cursor. */
export function printable(text: string): string {
  return text.replace(unprintable, '�');
}

/** The same for a message of several lines; what was found may be long, a line of a person's is not. */
export function printableLines(text: string, maxLength = 500): string {
  return text
    .split('\n')
    .map((line) => (line.length > maxLength ? `${line.slice(0, maxLength)}…` : line))
    .map(printable)
    .join('\n');
}
