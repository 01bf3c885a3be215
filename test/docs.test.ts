import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli.js';
import type { Invocation } from '../src/commands/invocation.js';
import { settingKeys } from '../src/config/settings.js';
import { errorCodes } from '../src/errors.js';
import { exitCodes } from '../src/exit-codes.js';
import { skipReasons } from '../src/jobs/outcome.js';
import { jobNames } from '../src/jobs/job.js';

function read(name: string): Promise<string> {
  return readFile(new URL(`../${name}`, import.meta.url), 'utf8');
}

/** Returns the cells of every row of a Markdown table whose first cell matches. */
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
  const listed = [...section.matchAll(/^- `([^`]+)`:/gm)].map(([, synopsis = '']) => synopsis);
  const actual = program.commands.map((command) => {
    const options = command.options.map((option) => option.long ?? '');
    return { name: command.name(), options };
  });
  expect(
    listed.map((synopsis) => ({
      name: /^[a-z]+/.exec(synopsis)?.[0],
      options: synopsis.match(/--[a-z-]+/g) ?? [],
    })),
  ).toEqual(actual);
});

test('the README lists the jobs in the order they run', async () => {
  const listed = rows(await read('README.md'), /^`(update|populate)/).map(([cell = '']) =>
    cell.replaceAll('`', ''),
  );
  expect(listed).toEqual(jobNames);
});

test('docs/settings.md explains every setting, and not only in the table', async () => {
  const [text = ''] = (await read('docs/settings.md')).split('<!-- settings:begin -->');
  expect(settingKeys.filter((key) => !text.includes(key))).toEqual([]);
});

test('docs/operations.md explains every skip reason', async () => {
  const listed = rows(await read('docs/operations.md'), /^skipped$/).map(([, reason]) => reason);
  expect(listed).toEqual(Object.keys(skipReasons));
});

/** Returns the documents at the root and below docs/. */
async function documents(): Promise<string[]> {
  const folder = new URL('../docs', import.meta.url);
  const names = (await readdir(folder, { recursive: true })).map((name) => `docs/${name}`);
  const root = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
  return [...root, ...names.filter((name) => name.endsWith('.md'))];
}

/** Returns the anchors of the headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

test('no message names a file or a script that only a clone has', async () => {
  const { files } = JSON.parse(await read('package.json')) as { files: string[] };
  expect(files).toEqual(['dist', '!dist/.prepared', 'sql', '.env.example', 'CHANGELOG.md']);
  const onlyInClone =
    /(?<![\w/])(docs|bench|deploy|test|src)\/|CONTRIBUTING|SECURITY|compose\.yaml|npm (start|run|test)/;
  const comments = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm;
  const names = await readdir(new URL('../src', import.meta.url), { recursive: true });
  for (const name of names.filter((one) => one.endsWith('.ts'))) {
    const code = (await read(`src/${name}`)).replace(comments, '');
    expect({ name, found: onlyInClone.exec(code)?.[0] }).toEqual({ name, found: undefined });
  }
});

test('every link between documents has a target file and heading', async () => {
  for (const name of await documents()) {
    const links = (await read(name)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g);
    for (const [, target = '', anchor] of links) {
      const linked = target === '' ? name : path.join(path.dirname(name), target);
      const text = await read(linked).catch(() => undefined);
      expect(text, `${name}: ${target}`).toBeTypeOf('string');
      if (anchor === undefined) continue;
      expect(anchorsOf(text ?? ''), `${name}: ${target}`).toContain(anchor);
    }
  }
});

test('docs/architecture.md lists the folders of src in the order of their layers', async () => {
  const [, section = ''] = (await read('docs/architecture.md')).split(/^## Folders of `s/m);
  const listed = rows(section, /^`/).map(([cell = '']) => cell.replaceAll('`', ''));
  const { layers } = (await import(String(new URL('../scripts/layers.mjs', import.meta.url)))) as {
    readonly layers: readonly (readonly string[])[];
  };
  expect(listed).toEqual(layers.flat().filter((name) => !name.includes('.')));
});

test('docs/decisions/README.md lists every decision in order', async () => {
  const names = await readdir(new URL('../docs/decisions', import.meta.url));
  const listed = [...(await read('docs/decisions/README.md')).matchAll(/\((\d+-[^)]+)\)/g)];
  expect(listed.map(([, name]) => name)).toEqual(names.filter((name) => /^\d/.test(name)).sort());
});

test('CI runs .ci/run, and the tests on every PostgreSQL and Node of test:matrix', async () => {
  const workflow = await read('.github/workflows/ci.yml');
  const supported = [...(await read('scripts/test-matrix.mjs')).matchAll(/^ {2}(\d+): '\d/gm)];
  expect(workflow).toContain('run: .ci/run\n');
  expect(workflow).toContain(`postgres: [${supported.map(([, major]) => major).join(', ')}]`);
  expect(workflow).toContain('node: [20, 22, 24]');
});
