// Proves what `npm pack` would publish: everything the program needs, and nothing else.
import { execFileSync } from 'node:child_process';

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
  'sql/fixtures/institutions.csv',
  'sql/dev/sample_data.sql',
];
const allowed =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|\.env\.example|dist\/.+\.(js|d\.ts)|dist\/http\/page\/.+\.(html|css|svg)|sql\/.+\.(sql|csv|md))$/;

const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const answer = JSON.parse(output);
const [pack] = Array.isArray(answer) ? answer : Object.values(answer);
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
