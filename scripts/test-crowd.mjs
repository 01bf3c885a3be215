// `npm run test:crowd`: eight daemons, two callers and three writers on one database for ten
// minutes. SECONDS sets the time.
process.env.SECONDS ??= '600';
process.argv.splice(2, 0, 'test/process/crowd.test.ts');
await import('./test.mjs');
