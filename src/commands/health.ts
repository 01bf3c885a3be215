import { Command } from 'commander';
import { loadStatusAddress } from '../config/load-config.js';
import { AppError } from '../errors.js';
import { longestLine, printable, printableLines } from '../printable.js';
import type { Invocation } from './invocation.js';
import { assertMaxAge, maxAgeOption, type MaxAge } from './max-age.js';
import { daemonMissing, isStatus, queryDaemon, type StatusAddress } from './query-daemon.js';

interface Options {
  ready?: boolean;
  maxAge?: MaxAge;
}

/** Creates `registry-stats health`, for container checks. */
export function healthCommand(invocation: Invocation): Command {
  return new Command('health')
    .description('check the running daemon: exit code 0 if it is live, 9 if not')
    .option('--ready', 'also expect the database to respond and the last runs to be good')
    .addOption(maxAgeOption())
    .action(async ({ ready, maxAge }: Options) => {
      const { env, cwd, stdout } = invocation;
      const address = await loadStatusAddress({ env, cwd });
      const health = await request(address, ready === true ? '/ready' : '/live', isHealth);
      if (health.status === 'not ready') {
        const found = `the daemon is not ready: ${health.reason ?? 'no reason'}`;
        throw new AppError('UNHEALTHY', printableLines(found, longestLine));
      }
      if (maxAge !== undefined) {
        assertMaxAge(await request(address, '/api/status', isStatus), maxAge);
      }
      stdout.write(`${printable(health.status)}\n`);
    });
}

/** @throws AppError UNHEALTHY if no daemon responds */
async function request<Body extends object>(
  address: StatusAddress,
  path: string,
  isOurs: (body: object) => body is Body,
): Promise<Body> {
  const answer = await queryDaemon(address, path, isOurs);
  if (answer.responder !== 'daemon') throw daemonMissing(address, path, answer.responder);
  return answer.body;
}

interface Health {
  readonly status: 'live' | 'ready' | 'not ready';
  readonly reason?: string;
}

function isHealth(body: object): body is Health {
  const { status, reason } = body as Readonly<Record<string, unknown>>;
  return (
    (status === 'live' || status === 'ready' || status === 'not ready') &&
    (reason === undefined || typeof reason === 'string')
  );
}
