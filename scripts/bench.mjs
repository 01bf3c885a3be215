// `npm run bench`: prepares, compiles bench/ next to src/, and runs it with the arguments.
import { copyFileSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepare, runNode } from './prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = `${root}.data/bench-build`;

prepare();
rmSync(build, { recursive: true, force: true });
runNode('node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json');
// The program finds its SQL next to its own folder.
symlinkSync(`${root}sql`, `${build}/sql`, 'junction');
copyFileSync(`${root}bench/row-triggers.sql`, `${build}/bench/row-triggers.sql`);
runNode(`${build}/bench/main.js`, ...process.argv.slice(2));
