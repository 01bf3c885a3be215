import { byId, create, setText } from './dom.js';

/** Returns a command with a button that copies it. */
export function createCommand(command: string): HTMLElement {
  const button = create('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', () => void copy(command, button));
  const code = create('code', { tabindex: '0', role: 'group', 'aria-label': 'Command' }, command);
  return create('div', { class: 'command' }, code, button);
}

/** A page that is not served over TLS may not write to the clipboard. */
async function copy(command: string, button: HTMLElement): Promise<void> {
  const words = await navigator.clipboard.writeText(command).then(
    () => 'Copied',
    () => 'Select and copy',
  );
  setText(button, words);
  setText(byId('announcement'), words);
  setTimeout(() => {
    setText(button, 'Copy');
  }, 1_500);
}
