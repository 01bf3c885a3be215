import path from 'node:path';
import { expect, test } from 'vitest';
import { nameProgram, programName } from '../src/program-name.js';

const source = path.resolve(import.meta.dirname, '../src');

test.each([
  ['/app/node_modules/.bin/registry-stats', '/app', 'npx registry-stats'],
  ['/home/me/.npm/_npx/1f/node_modules/.bin/registry-stats', '/', 'npx registry-stats'],
  ['/usr/local/bin/registry-stats', '/', 'registry-stats'],
  [path.join(source, 'main.js'), path.dirname(source), 'node src/main.js'],
  [path.join(path.dirname(source), 'scripts/start.mjs'), path.dirname(source), 'node src/main.js'],
  [path.join(source, 'main.js'), '/somewhere/else', `node ${path.join(source, 'main.js')}`],
])('a program that was started as %s in %s is %s', (script, cwd, name) => {
  expect(programName(script, cwd)).toBe(name);
});

test('a message names commands as they work, and nothing else changes', () => {
  const program = 'node dist/main.js';
  expect(nameProgram('run `registry-stats migrate`, or registry-stats --help', program)).toBe(
    'run `node dist/main.js migrate`, or node dist/main.js --help',
  );
  for (const text of [
    'registry-stats: USAGE: no',
    'the registry-stats daemon',
    'my-registry-stats status',
    '/var/lib/registry-stats start',
    'registry-stats migrated',
  ]) {
    expect(nameProgram(text, program)).toBe(text);
  }
});
