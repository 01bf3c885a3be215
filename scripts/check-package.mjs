// Proves what `npm pack` publishes: everything the program needs, and nothing else; that it runs where
// it is installed, away from this clone; and that its types compile there for a strict consumer.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const wanted = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  '.env.example',
  'dist/main.js',
  'dist/index.d.ts',
  'dist/http/page/index.html',
  'dist/http/page/style.css',
  'dist/http/page/main.js',
  'sql/schema/tables.sql',
  'sql/migrations/001_deposit_stats.sql',
  'sql/roles.sql',
  'sql/fixtures/institutions.csv',
  'sql/dev/sample_data.sql',
];
const allowed =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|\.env\.example|dist\/.+\.(js|d\.ts)|dist\/http\/page\/.+\.(html|css|svg)|sql\/.+\.(sql|csv|md))$/;

const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const response = JSON.parse(output);
const [pack] = Array.isArray(response) ? response : Object.values(response);
const found = pack.files.map((file) => file.path);

const missing = wanted.filter((file) => !found.includes(file));
const surplus = found.filter((file) => !allowed.test(file));
if (missing.length > 0 || surplus.length > 0) {
  console.error(`npm pack: missing [${missing.join(', ')}], surplus [${surplus.join(', ')}]`);
  process.exit(1);
}
console.log(
  `npm pack: ${found.length} files, ${Math.round(pack.unpackedSize / 1024)} kB, as expected`,
);

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'registry-stats-package-')));
try {
  runInstalled(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Installs the tarball in an empty folder and runs the program there, with a home of its own. */
function runInstalled(parent) {
  const [app, home] = ['app', 'home'].map((name) => path.join(parent, name));
  for (const made of [app, home]) mkdirSync(made);
  const npm = (args, options) =>
    execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
  npm(['pack', '--ignore-scripts', '--pack-destination', parent]);
  const tarball = path.join(parent, `${pack.name}-${pack.version}.tgz`);
  writeFileSync(path.join(app, 'package.json'), '{"private":true}\n');
  // Without the embedded PostgreSQL, as in the image.
  const quietly = ['--prefer-offline', '--omit=optional', '--ignore-scripts', '--no-audit'];
  npm(['install', '--no-fund', ...quietly, tarball], { cwd: app });
  const program = (...args) =>
    npm(['exec', '--no', '--', 'registry-stats', ...args], {
      cwd: app,
      env: { PATH: process.env.PATH, HOME: home },
    });
  expectText('--help', program('--help'), /^Usage: registry-stats /);
  expectText('config', program('config'), /^APT_ENV +dev +default$/m);
  expectText('--version', program('--version'), new RegExp(`^${pack.version}$`, 'm'));
  console.log('installed: registry-stats --help, config and --version run, as expected');
  compileConsumer(app);
}

/** With `skipLibCheck` off: every package that our types mention must have come with the program. */
function compileConsumer(app) {
  const consumer = `import { createContext, type Context, type ContextOptions } from '${pack.name}';
export const read = async (options: ContextOptions): Promise<readonly { one: number }[]> => {
  const { database }: Context = await createContext(options);
  return database.read<{ one: number }>('select 1 as one');
};
`;
  writeFileSync(path.join(app, 'consumer.mts'), consumer);
  const strict = '--strict --exactOptionalPropertyTypes --skipLibCheck false --module nodenext';
  const args = [...strict.split(' '), '--target', 'es2023', '--noEmit', 'consumer.mts'];
  const compiler = path.resolve('node_modules/typescript/bin/tsc');
  const options = { cwd: app, encoding: 'utf8' };
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...args], options);
  if (status === 0) {
    console.log('installed: the types compile for a strict consumer, as expected');
  } else {
    console.error(`types: expected a strict consumer to compile, found:\n${stdout}`);
    process.exitCode = 1;
  }
}

function expectText(command, text, pattern) {
  if (pattern.test(text)) return;
  console.error(`registry-stats ${command}: expected ${pattern}, found:\n${text}`);
  process.exitCode = 1;
}
