import { Writable } from 'node:stream';
import { pino, type Logger as PinoLogger, type LoggerOptions } from 'pino';
import type { Config } from './config/config.js';
import { printable, printableJson, printableLines } from './printable.js';
import { nameProgram } from './program-name.js';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  level: string;
};

/** Returns the log format: `auto` is pretty on a terminal and in development, else JSON. */
export function logFormat(config: Config, output: NodeJS.WriteStream): 'json' | 'pretty' {
  if (config.log.format !== 'auto') return config.log.format;
  const isForDeveloper = config.aptEnv === 'dev' || config.aptEnv === 'test';
  return output.isTTY || isForDeveloper ? 'pretty' : 'json';
}

/** Creates the log. `program` is what starts this program here, for commands in a readable log. */
export async function createLog(
  config: Config,
  output: NodeJS.WriteStream,
  program = 'registry-stats',
): Promise<Logger> {
  let leftOut = 0;
  const destination = boundedOutput(output, () => leftOut++);
  const log = await logTo(destination, config, { output, program });
  // The reader has read all waiting lines.
  output.on('drain', () => {
    const lines = leftOut;
    leftOut = 0;
    if (lines > 0) log.warn({ lines }, `${lines} lines were dropped: the log was not read`);
  });
  return log;
}

async function logTo(
  destination: Writable,
  config: Config,
  { output, program }: { output: NodeJS.WriteStream; program: string },
): Promise<Logger> {
  const options: LoggerOptions = {
    level: config.log.level,
    base: { app: 'registry-stats' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (logFormat(config, output) === 'json') {
    return pino(options, { write: (line) => destination.write(printableJson(line)) });
  }
  // Production does not need it in memory.
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({
    destination,
    sync: true,
    // The fields are for programs.
    hideObject: true,
    ignore: 'app,pid,hostname',
    messageFormat: (line) => toPrettyMessage(line, program),
    translateTime: 'HH:MM:ss',
    colorize: output.isTTY && output.hasColors(),
  });
  return pino(options, stream);
}

/** The message contains everything except a statement of LOG_SQL, which has lines of its own. */
function toPrettyMessage(
  { msg, sql, durationMs, rows }: Readonly<Record<string, unknown>>,
  program: string,
): string {
  const message = printable(nameProgram(String(msg), program));
  if (typeof sql !== 'string') return message;
  const lines = printableLines(sql.trim()).split('\n');
  const text = lines.map((line) => `    ${line}`).join('\n');
  return `${message} (${String(durationMs)} ms, ${String(rows)} rows)\n${text}`;
}

/** The maximum that may wait for a slow reader. */
const mostWaitingBytes = 1_048_576;

/** Limits the memory for unread output: a pipe would buffer without end. Drops lines beyond it. */
function boundedOutput(output: NodeJS.WriteStream, onDropped: () => void): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line: string | Buffer, _encoding, done) => {
      if (output.writableLength < mostWaitingBytes) output.write(line);
      else onDropped();
      done();
    },
  });
}
