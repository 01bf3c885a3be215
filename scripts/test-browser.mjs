// `npm run test:browser`: the status page in a real Chromium, which must be installed: the file in
// CHROMIUM, or one on PATH.
import { prepare, runNode } from './prepare.mjs';

prepare();
runNode(
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config=vitest.browser.config.ts',
  ...process.argv.slice(2),
);
