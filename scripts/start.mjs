// `npm start`: prepares, then runs the daemon in this process, so that it gets the signals.
import { prepare } from './prepare.mjs';

prepare();
process.argv.splice(2, 0, 'start');
await import('../dist/main.js');
