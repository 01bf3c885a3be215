import { createPair } from './pair.js';
import { parseOptions, usage } from './options.js';
import { startServer } from './server.js';
const options = parseOptions(process.argv.slice(2));
if (options === undefined) { process.stdout.write(usage); process.exit(0); }
const server = await startServer(options.url);
console.log(JSON.stringify(server.address));
const t = performance.now();
const pair = await createPair(server.address, options.files, options.events);
console.log('created', performance.now() - t);
await pair.close(!options.keep);
await new Promise((r) => setTimeout(r, 3600_000));
await server.release();
