// What a terminal obeys, and what hides or reorders the text around it: control characters, line
// separators, marks of direction. Names and messages come out of a database that many may write to.
const control = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** A line of what was found elsewhere, as people read it in a message. */
export const longestLine = 500;

/** On one line, with a mark in the place of each such character. */
export function printable(text: string): string {
  return text.replace(control, '�');
}

/** The same for a text of several lines; what was found elsewhere may be cut to a length for people. */
export function printableLines(text: string, maxLength = Infinity): string {
  return text
    .split('\n')
    .map((line) => (line.length > maxLength ? `${line.slice(0, maxLength)}…` : line))
    .map(printable)
    .join('\n');
}

/** JSON that means the same, with escapes for what JSON itself leaves alone but a terminal obeys. */
export function printableJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
