// `npm run test:hostile`: 10,000 open connections on the status port, and thousands of random
// requests, settings, arguments and files. CONNECTIONS, FUZZ_RUNS and SEED can be set.
process.env.CONNECTIONS ??= '10000';
process.env.FUZZ_RUNS ??= '5000';
process.argv.splice(
  2,
  0,
  'test/process/hostile-requests.test.ts',
  'test/hostile-input.test.ts',
  'test/parameter-store.test.ts',
);
await import('./test.mjs');
