#!/usr/bin/env node
import { installSignals } from './daemon/signals.js';

// Before anything else is even loaded: a SIGUSR2 in the first moments must not end the process.
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

// Once asked to stop, it waits no longer for somebody who does not read what was written.
const unreadTimeoutMs = 2_000;
if (signals.stop.aborted) setTimeout(() => process.exit(), unreadTimeoutMs).unref();

process.on('exit', () => {
  if (hasLostOutput && process.exitCode === exitCodes.ok) process.exitCode = exitCodes.failure;
});

/** A full disk is told, and does not end the daemon. */
function onOutputError({ code, message }: NodeJS.ErrnoException): void {
  // A reader that goes away (`registry-stats status | head`) is no failure of ours.
  if (code === 'EPIPE' || hasLostOutput) return;
  hasLostOutput = true;
  process.stderr.write(`registry-stats: stdout could not be written: ${message}\n`);
}
