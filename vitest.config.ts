import { defineConfig } from 'vitest/config';

const server = 'test/support/global-setup.ts';

/** `npm test` runs the first project; scripts/test.mjs names the others. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'default',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/faults/**'],
          globalSetup: [server],
        },
      },
      // Needs a Chromium, which a developer may not have.
      {
        extends: true,
        test: { name: 'browser', include: ['test/browser/**/*.test.ts'], globalSetup: [server] },
      },
      // Takes minutes: each fault at each step of a run.
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: [server, 'test/faults/support/tally.ts'],
          testTimeout: 180_000,
        },
      },
    ],
  },
});
