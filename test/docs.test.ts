import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli.js';
import type { Invocation } from '../src/commands/invocation.js';
import { errorCodes } from '../src/errors.js';
import { exitCodes } from '../src/exit-codes.js';
import { skipReasons } from '../src/jobs/outcome.js';
import { jobNames } from '../src/jobs/job.js';

function read(name: string): Promise<string> {
  return readFile(new URL(`../${name}`, import.meta.url), 'utf8');
}

/** The cells of every row of a Markdown document whose first cell matches. */
function rows(markdown: string, first: RegExp): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim())
        .slice(1, -1),
    )
    .filter(([cell]) => cell !== undefined && first.test(cell));
}

test('docs/errors.md lists exactly the error codes, each with its exit code', async () => {
  const listed = rows(await read('docs/errors.md'), /^`[A-Z_]+`$/).map(([code = '', exit]) => [
    code.replaceAll('`', ''),
    Number(exit),
  ]);
  expect(Object.fromEntries(listed)).toEqual(errorCodes);
});

test('docs/errors.md lists exactly the exit codes by number and name', async () => {
  const listed = rows(await read('docs/errors.md'), /^\d+$/).map(([exit, name = '']) => [
    name,
    Number(exit),
  ]);
  expect(Object.fromEntries(listed)).toEqual(exitCodes);
});

test('the README lists exactly the commands, with the options each has', async () => {
  const program = await createProgram({} as Invocation);
  const [, section = ''] = (await read('README.md')).split(/^## (?:Commands|Jobs)$/m);
  const listed = rows(section, /^`/).map(([cell = '']) => cell);
  const actual = program.commands.map((command) => {
    const options = command.options.map((option) => option.long ?? '');
    return { name: command.name(), options };
  });
  expect(
    listed.map((cell) => ({
      name: /`([a-z]+)/.exec(cell)?.[1],
      options: cell.match(/--[a-z-]+/g) ?? [],
    })),
  ).toEqual(actual);
});

test('the README lists the jobs in the order in which they run', async () => {
  const listed = rows(await read('README.md'), /^`(update|populate)/).map(([cell = '']) =>
    cell.replaceAll('`', ''),
  );
  expect(listed).toEqual(jobNames);
});

test('docs/operations.md explains every reason for which a run is skipped', async () => {
  const listed = rows(await read('docs/operations.md'), /^skipped$/).map(([, reason]) => reason);
  expect(listed).toEqual(Object.keys(skipReasons));
});

test('every link between the documents leads to a file', async () => {
  const names = (await readdir(new URL('../docs', import.meta.url))).map((name) => `docs/${name}`);
  for (const name of ['README.md', ...names.filter((name) => name.endsWith('.md'))]) {
    const text = await read(name);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target);
    for (const link of links) {
      const file = new URL(link, new URL(`../${name}`, import.meta.url));
      await expect(readFile(file, 'utf8'), `${name}: ${link}`).resolves.toBeTypeOf('string');
    }
  }
});

test('CI runs .ci/run, and the tests on every PostgreSQL and Node that test:matrix is made for', async () => {
  const workflow = await read('.github/workflows/ci.yml');
  const supported = [...(await read('scripts/test-matrix.mjs')).matchAll(/^ {2}(\d+): '\d/gm)];
  expect(workflow).toContain('run: .ci/run\n');
  expect(workflow).toContain(`postgres: [${supported.map(([, major]) => major).join(', ')}]`);
  expect(workflow).toContain('node: [20, 22, 24]');
});
