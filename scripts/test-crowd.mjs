// `npm run test:crowd`: eight daemons, two callers of the public functions and writers at full speed
// on one database for ten minutes. SECONDS can be set.
process.env.SECONDS ??= '600';
process.argv.splice(2, 0, 'test/process/crowd.test.ts');
await import('./test.mjs');
