import { pino, type Logger as PinoLogger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config/config.js';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  level: string;
};

/** JSON lines for machines, readable lines for a terminal; `auto` decides by where it goes. */
export function createLog(config: Config, output: NodeJS.WriteStream): Logger {
  const isPretty =
    config.log.format === 'pretty' ||
    (config.log.format === 'auto' && output.isTTY && !config.isLive);
  const options = {
    level: config.log.level,
    base: { app: 'registry-stats' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (!isPretty) return pino(options, output);
  return pino(
    options,
    pretty({
      destination: output,
      sync: true,
      ignore: 'app,pid,hostname',
      translateTime: 'HH:MM:ss',
      colorize: output.isTTY && output.hasColors(),
    }),
  );
}
