// `npm run test:soak`: the daemon through twenty thousand runs of its jobs, faults in between;
// what it and its database hold in memory and on disk must not grow with their number. RUNS can be set.
process.env.RUNS ??= '20000';
process.argv.splice(2, 0, 'test/soak/soak.test.ts');
await import('./test.mjs');
