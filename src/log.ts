import { Writable } from 'node:stream';
import { pino, type Logger as PinoLogger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config/config.js';
import { printable, printableJson } from './printable.js';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  level: string;
};

/** The form of the log: `auto` is readable in a terminal and for a developer, else JSON lines. */
export function logFormat(config: Config, output: NodeJS.WriteStream): 'json' | 'pretty' {
  if (config.log.format !== 'auto') return config.log.format;
  const isForDeveloper = config.aptEnv === 'dev' || config.aptEnv === 'test';
  return output.isTTY || isForDeveloper ? 'pretty' : 'json';
}

export function createLog(config: Config, output: NodeJS.WriteStream): Logger {
  let leftOut = 0;
  const destination = boundedOutput(output, () => leftOut++);
  const log = logTo(destination, config, output);
  // All that waited has been read.
  output.on('drain', () => {
    const lines = leftOut;
    leftOut = 0;
    if (lines > 0) log.warn({ lines }, `${lines} lines were left out: nobody read the log`);
  });
  return log;
}

function logTo(destination: Writable, config: Config, output: NodeJS.WriteStream): Logger {
  const options: LoggerOptions = {
    level: config.log.level,
    base: { app: 'registry-stats' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (logFormat(config, output) === 'json') {
    return pino(options, { write: (line) => destination.write(printableJson(line)) });
  }
  const stream = pretty({
    destination,
    sync: true,
    // The message says it all; the fields are for machines.
    hideObject: true,
    ignore: 'app,pid,hostname',
    messageFormat: ({ msg }) => printable(String(msg)),
    translateTime: 'HH:MM:ss',
    colorize: output.isTTY && output.hasColors(),
  });
  return pino(options, stream);
}

/** How much may wait for a reader of the log that does not read. */
const mostWaitingBytes = 1_048_576;

/**
 * A pipe takes what nobody reads into the memory of this process, without end: beyond a limit,
 * lines are left out.
 */
function boundedOutput(output: NodeJS.WriteStream, onLeftOut: () => void): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line: string | Buffer, _encoding, done) => {
      if (output.writableLength < mostWaitingBytes) output.write(line);
      else onLeftOut();
      done();
    },
  });
}
