import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { programName, runCommand, temporaryDirectory } from '../support/program.js';

test.each([
  'status',
  'status --json',
  'status --watch',
  'verify',
  'refresh',
  'rebuild',
  'rebuild history --since 2024-01-01 --dry-run',
  'migrate --status',
  'migrate --dry-run',
  'migrate --print',
  'uninstall',
  'reset --dry-run',
])('%s in a folder without a database creates none, and names where it looked', async (line) => {
  const cwd = await temporaryDirectory();
  const { code, stdout, stderr } = await runCommand(line.split(' '), { env: {}, cwd });
  expect({ code, stdout, stderr }).toEqual({
    code: 5,
    stdout: '',
    stderr:
      `registry-stats: DATABASE_MISSING: expected DB_HOST in the environment or in .env.dev or .env of ${cwd}, ` +
      `or an embedded PostgreSQL in ${cwd}/.data; found neither\n` +
      '  hint: run it where these files are, or set DB_HOST or DATA_DIR; ' +
      `\`${programName} start\` creates a database here\n`,
  });
  expect(await readdir(cwd)).toEqual([]);
});

test('a typo in .env that hides DB_HOST is a warning, before the missing database', async () => {
  const cwd = await temporaryDirectory();
  await writeFile(path.join(cwd, '.env'), 'DB_HSOT=db.example.org\n');
  const { code, stderr } = await runCommand(['status'], { env: { LOG_FORMAT: 'json' }, cwd });
  expect(code).toBe(5);
  const [warning = '', error] = stderr.split('\n');
  expect(JSON.parse(warning)).toMatchObject({
    level: 'warn',
    msg: '.env: DB_HSOT is not a setting; did you mean DB_HOST?',
  });
  expect(error).toMatch(/^registry-stats: DATABASE_MISSING: /);
  expect(stderr).not.toContain('db.example.org');
});
