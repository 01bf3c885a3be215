// Characters that control a terminal, or hide or reorder text: control characters, line separators,
// direction marks. Names and messages come from a database that many may write to.
const control = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** The maximum length of quoted text in a message. */
export const longestLine = 500;

/** Returns the text on one line, with unsafe characters replaced. */
export function printable(text: string): string {
  return text.replace(control, '�');
}

/** Returns the same for several lines, cut to a length. */
export function printableLines(text: string, maxLength = Infinity): string {
  return text
    .split('\n')
    .map((line) => (line.length > maxLength ? `${line.slice(0, maxLength)}…` : line))
    .map(printable)
    .join('\n');
}

/** Returns equal JSON that also escapes what a terminal would interpret. */
export function printableJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
