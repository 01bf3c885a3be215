import { styleText } from 'node:util';

/** Colours the states of jobs and warnings. */
export interface Paint {
  /** Colours the state of a job; any other word stays as it is. */
  readonly state: (word: string) => string;
  readonly warn: (text: string) => string;
}

const colours = {
  fresh: 'green',
  running: 'green',
  failing: 'red',
  'held back': 'yellow',
  stopped: 'yellow',
} as const;

/** Colours only if the stream shows them: a terminal, and neither NO_COLOR nor TERM=dumb is set. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  const paint = (colour: 'green' | 'red' | 'yellow', text: string): string =>
    styleText(colour, text, { stream, validateStream: true });
  return {
    state: (word) => (isState(word) ? paint(colours[word], word) : word),
    warn: (text) => paint('yellow', text),
  };
}

function isState(word: string): word is keyof typeof colours {
  return Object.hasOwn(colours, word);
}
