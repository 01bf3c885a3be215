import { parseChoices, toQuery, type Choices } from './choices.js';

export interface Address {
  readonly chosen: Choices;
  choose(changes: Partial<Choices>): void;
}

/** Reads the choices from the address of the page, and writes them there. */
export function openAddress(): Address {
  let chosen = parseChoices(location.search);
  return {
    get chosen() {
      return chosen;
    },
    choose: (changes) => {
      chosen = { ...chosen, ...changes };
      history.replaceState(null, '', `${location.pathname}${toQuery(chosen)}${location.hash}`);
    },
  };
}

/** Marks the chosen button of a group. */
export function press(group: Iterable<HTMLElement>, isChosen: (button: HTMLElement) => boolean) {
  for (const button of group) button.setAttribute('aria-pressed', String(isChosen(button)));
}
