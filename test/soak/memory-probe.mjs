// Loaded into the daemon before its own code (`--import`): at SIGWINCH, which nothing else sends, it
// collects all garbage and writes what memory is left. What is measured so does not depend on when
// the collector last came by.
process.on('SIGWINCH', () => {
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.stderr.write(`memory ${JSON.stringify({ rss, heapUsed, external })}\n`);
});
