// `npm start`: prepares, then becomes the daemon in this same process, so that signals reach it.
import { prepare } from './prepare.mjs';

prepare();
process.argv.splice(2, 0, 'start');
await import('../dist/main.js');
