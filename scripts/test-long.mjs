// `npm run test:long`: the random test with 10,000 transactions and over a million changed rows.
// TRANSACTIONS and SEED can be set.
process.env.TRANSACTIONS ??= '10000';
process.argv.splice(2, 0, 'test/exactness/random.test.ts');
await import('./test.mjs');
