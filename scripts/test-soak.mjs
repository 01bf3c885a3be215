// `npm run test:soak`: twenty thousand runs of the jobs with faults. Memory and disk of daemon and
// database must not grow with the number of runs. RUNS can be set.
process.env.RUNS ??= '20000';
process.argv.splice(2, 0, 'test/soak/soak.test.ts');
await import('./test.mjs');
