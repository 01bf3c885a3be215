#!/usr/bin/env node
import { installSignals } from './daemon/signals.js';

// Installed before other modules load: an early SIGUSR2 must not end the process.
const signals = installSignals(process);

let hasLostOutput = false;
process.stdout.on('error', onOutputError);
process.stderr.on('error', () => undefined);

const { run } = await import('./cli.js');
const { exitCodes } = await import('./exit-codes.js');

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  stdout: process.stdout,
  stderr: process.stderr,
  signals,
});

// After a stop request, do not wait for a reader that does not read.
const unreadTimeoutMs = 2_000;
if (signals.stop.aborted) setTimeout(() => process.exit(), unreadTimeoutMs).unref();

process.on('exit', () => {
  if (hasLostOutput && process.exitCode === exitCodes.ok) process.exitCode = exitCodes.failure;
});

/** Reports an output error such as a full disk; the daemon keeps running. */
function onOutputError({ code, message }: NodeJS.ErrnoException): void {
  // A closed reader (`registry-stats status | head`) is no failure.
  if (code === 'EPIPE' || hasLostOutput) return;
  hasLostOutput = true;
  process.stderr.write(`registry-stats: stdout could not be written: ${message}\n`);
}
