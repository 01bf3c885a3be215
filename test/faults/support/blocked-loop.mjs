// For `node --import`: blocks the event loop for the milliseconds in BLOCK_FILE.
import { readFileSync, rmSync } from 'node:fs';

setInterval(() => {
  const blockMs = read();
  if (blockMs === undefined) return;
  const end = performance.now() + blockMs;
  while (performance.now() < end);
  process.stderr.write(`blocked for ${blockMs} ms\n`);
}, 100).unref();

function read() {
  try {
    const blockMs = Number(readFileSync(process.env.BLOCK_FILE, 'utf8'));
    rmSync(process.env.BLOCK_FILE);
    return blockMs;
  } catch {
    return undefined;
  }
}
