// Prepares a clone with only Node and npm: installs package-lock.json and builds dist/. Skips what
// is up to date, so a later start is fast. Install scripts are off, because nothing here needs one.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Browser modules, compiled separately, with page and style. */
const page = 'src/http/page';

export function prepare({ force = false } = {}) {
  assertNodeVersion();
  const lock = fingerprint(['package-lock.json'], process.versions.modules);
  if (!isCurrent('node_modules/.prepared', lock)) {
    say('installing dependencies, which takes a minute or two, once …');
    npm('ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund');
    writeFileSync(path.join(root, 'node_modules/.prepared'), lock);
  }
  const sources = fingerprint(['tsconfig.json', 'tsconfig.build.json', ...files('src')], lock);
  if (force || !isCurrent('dist/.prepared', sources)) {
    say('building, once for each version …');
    rmSync(path.join(root, 'dist'), { recursive: true, force: true });
    runNode('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
    runNode('node_modules/typescript/bin/tsc', '-p', page);
    copyPageFiles();
    writeFileSync(path.join(root, 'dist/.prepared'), sources);
  }
}

function copyPageFiles() {
  const names = readdirSync(path.join(root, page)).filter((name) => /\.(html|css|svg)$/.test(name));
  for (const name of names) {
    copyFileSync(path.join(root, page, name), path.join(root, 'dist/http/page', name));
  }
}

/** Runs a Node program. If it fails, exits with its code. */
export function runNode(...args) {
  runOrExit(process.execPath, args);
}

/** Installs a package into its own folder, outside of package-lock.json. */
export function installPackage(place, name) {
  say(`installing ${name} …`);
  mkdirSync(place, { recursive: true });
  npm(
    'install',
    `--prefix=${place}`,
    '--no-save',
    '--ignore-scripts',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    name,
  );
}

function npm(...args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) runOrExit(process.execPath, [cli, ...args]);
  else runOrExit('npm', args);
}

function runOrExit(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    // stdout belongs to the program that starts afterwards.
    stdio: ['inherit', process.stderr, process.stderr],
    env: { ...process.env, NODE_ENV: undefined },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function fingerprint(names, salt) {
  const hash = createHash('sha256').update(salt);
  for (const name of names) hash.update(name).update(readFileSync(path.join(root, name)));
  return hash.digest('hex');
}

function isCurrent(marker, expected) {
  const file = path.join(root, marker);
  return existsSync(file) && readFileSync(file, 'utf8') === expected;
}

function files(folder) {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function assertNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`expected Node 20.19 or newer, found ${process.versions.node}`);
  process.exit(1);
}

function say(message) {
  process.stderr.write(`${message}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  prepare({ force: process.argv.includes('--force') });
}
