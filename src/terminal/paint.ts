import { styleText } from 'node:util';

/** Colours job states and warnings. */
export interface Paint {
  /** Colours a job state; returns other words unchanged. */
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

/** Returns colours if the stream supports them and NO_COLOR and TERM=dumb are unset. */
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
