// For `node --import`: on SIGWINCH, which nothing else sends, collects all garbage and prints the
// memory. So the measurement does not depend on the collector.
process.on('SIGWINCH', () => {
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.stderr.write(`memory ${JSON.stringify({ rss, heapUsed, external })}\n`);
});
