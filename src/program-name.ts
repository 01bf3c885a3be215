import path from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/**
 * Returns the command that starts this program again: `npx registry-stats` or `registry-stats` when
 * installed, `node dist/main.js` in a clone and in the image. `script` is the path that Node was
 * started with; npm installs a link there.
 */
export function programName(script: string, cwd: string): string {
  if (path.basename(script) === 'registry-stats') {
    const isLocal = path.basename(path.dirname(script)) === '.bin';
    return isLocal ? 'npx registry-stats' : 'registry-stats';
  }
  const relative = path.relative(cwd, main);
  const shown = relative.startsWith('..') ? main : relative;
  return `node ${/\s/.test(shown) ? `"${shown}"` : shown}`;
}

const commands = 'start|refresh|status|verify|rebuild|migrate|uninstall|reset|config|health|--help';

/** Replaces the program's name before a command of its own, so that a message works as printed. */
export function nameProgram(text: string, program: string): string {
  return text.replace(
    new RegExp(`(?<![\\w./-])registry-stats (?=(?:${commands})(?![\\w-]))`, 'g'),
    () => `${program} `,
  );
}
