// What a terminal obeys, and what hides or reorders the text around it: control characters, line
// separators, marks of direction. Names and messages come out of a database that many may write to.
const control = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** On one line, with a mark in the place of each such character. */
export function printable(text: string): string {
  return text.replace(control, '�');
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.replace(control, (char) => (char === '\n' ? char : '�'));
}

/** JSON that means the same, with escapes for what JSON itself leaves alone but a terminal obeys. */
export function printableJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
