// `npm test`: prepares, then runs the tests with the arguments.
import { prepare, runNode } from './prepare.mjs';

prepare();
runNode('node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2));
