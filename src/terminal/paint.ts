import { styleText } from 'node:util';

/** Colours for the words that tell how something went; for the rest a terminal's own will do. */
export interface Paint {
  /** By the word itself; a word that is no outcome stays as it is. */
  readonly outcome: (word: string) => string;
  readonly warn: (text: string) => string;
}

const colours = {
  refreshed: 'green',
  skipped: 'green',
  failed: 'red',
  crashed: 'red',
  inexact: 'yellow',
  stale: 'yellow',
} as const;

/** Colours only if the stream shows them: a terminal, and neither NO_COLOR nor TERM=dumb is set. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  const paint = (colour: 'green' | 'red' | 'yellow', text: string): string =>
    styleText(colour, text, { stream, validateStream: true });
  return {
    outcome: (word) => (isOutcome(word) ? paint(colours[word], word) : word),
    warn: (text) => paint('yellow', text),
  };
}

function isOutcome(word: string): word is keyof typeof colours {
  return Object.hasOwn(colours, word);
}
