// `npm run test:faults`: every fault at every step of a run, and the figures afterwards.
import { prepare, runNode } from './prepare.mjs';

prepare();
runNode(
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config=vitest.faults.config.ts',
  ...process.argv.slice(2),
);
