#!/usr/bin/env node
import { isatty } from 'node:tty';
import { installSignals } from './daemon/signals.js';

const args = process.argv.slice(2);
const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
// Installed before other modules load: an early SIGUSR2 must not end the process. A terminal that
// closes sends SIGHUP, and must leave nothing running.
const signals = installSignals(process, { reloadsOnHangup: args[0] === 'start' && !hasTerminal });

let hasLostOutput = false;
process.stdout.on('error', onOutputError);
process.stderr.on('error', () => undefined);

const { run } = await import('./cli.js');
const { exitCodes } = await import('./exit-codes.js');
const { programName } = await import('./program-name.js');

process.exitCode = await run(args, {
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  program: programName(process.argv[1] ?? '', process.cwd()),
  // Opened only by a command that asks.
  get stdin() {
    return process.stdin;
  },
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
