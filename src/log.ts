import { pino, type Logger as PinoLogger } from 'pino';
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
  const options = {
    level: config.log.level,
    base: { app: 'registry-stats' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (logFormat(config, output) === 'json') {
    return pino(options, { write: (line) => output.write(printableJson(line)) });
  }
  const stream = pretty({
    destination: output,
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
