#!/usr/bin/env node
import { installSignals } from './signals.js';

// Before anything else is even loaded: a SIGUSR2 in the first moments must not end the process.
const signals = installSignals(process);

// A reader that goes away (`registry-stats status | head`) is no failure of ours.
process.stdout.on('error', ignoreClosedPipe);
process.stderr.on('error', ignoreClosedPipe);

const { run } = await import('./cli.js');

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  stdout: process.stdout,
  stderr: process.stderr,
  signals,
});

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
