// `npm run test:faults`: each fault at each step of a run, and what the figures are afterwards.
import { prepare, runNode } from './prepare.mjs';

prepare();
runNode(
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config=vitest.faults.config.ts',
  ...process.argv.slice(2),
);
