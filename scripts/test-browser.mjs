// `npm run test:browser`: tests the status page in Chromium, from CHROMIUM or PATH.
import { prepare, runNode } from './prepare.mjs';

prepare();
runNode(
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config=vitest.browser.config.ts',
  ...process.argv.slice(2),
);
