// The layers of src, top first. A file imports only from its own layer and lower ones.
// eslint.config.js and scripts/import-graph.mjs read this list. A name with an ending is a file,
// one without is a folder.
export const layers = [
  ['main.ts'],
  ['cli.ts', 'index.ts'],
  ['commands'],
  ['terminal'],
  ['http'],
  ['metrics'],
  ['notify'],
  ['context.ts'],
  ['daemon'],
  ['locate-server.ts'],
  ['dev'],
  ['schema'],
  ['status'],
  ['statistics'],
  ['jobs'],
  ['db'],
  ['log.ts'],
  ['config'],
  ['errors.ts', 'exit-codes.ts', 'printable.ts', 'progress.ts', 'releasers.ts', 'version.ts'],
];
