import { create } from './dom.js';

/**
 * Folds long sections on a phone, where the page would be many screens high: each gets a button
 * next to its heading. Wider screens and paper show all sections.
 */
export function foldSections(sections: readonly HTMLElement[]): void {
  for (const section of sections) {
    const heading = section.querySelector('h2');
    const words = heading?.textContent ?? '';
    const button = create('button', { type: 'button', class: 'button fold-button' }, 'Show');
    button.setAttribute('aria-label', `Show ${words.toLowerCase()}`);
    const fold = (isFolded: boolean): void => {
      section.classList.toggle('folded', isFolded);
      button.setAttribute('aria-expanded', String(!isFolded));
      button.textContent = isFolded ? 'Show' : 'Hide';
      button.setAttribute('aria-label', `${isFolded ? 'Show' : 'Hide'} ${words.toLowerCase()}`);
    };
    button.addEventListener('click', () => {
      fold(!section.classList.contains('folded'));
    });
    // A link of the page to the section opens it.
    addEventListener('hashchange', () => {
      if (location.hash === `#${section.id}`) fold(false);
    });
    fold(location.hash !== `#${section.id}`);
    heading?.after(button);
  }
}
