import type { Config } from '../config/config.js';
import { AppError } from '../errors.js';
import type { Query } from '../db/transaction.js';
import { launchTables, statisticsTables } from '../jobs/registry-objects.js';

const resettable: ReadonlySet<string> = new Set(['ci', 'dev', 'integration', 'test', 'travis']);
const liveWords = /prod|live|demo|staging/i;
const liveHosts = /\.amazonaws\.com$/i;

export interface ResetTarget {
  readonly config: Config;
  readonly isEmbedded: boolean;
  readonly host: string;
  readonly database: string;
  /** The value of `--confirm`. */
  readonly confirmed: string | undefined;
}

/**
 * Refuses to reset a database that may hold real data. A live environment is always refused. A name
 * or host that looks live, an RDS server, or tables of others need the exact database name.
 * @throws AppError RESET_REFUSED
 */
export async function assertResettable(query: Query, target: ResetTarget): Promise<void> {
  assertEnvironment(target);
  if (target.confirmed === target.database) return;
  if (target.confirmed !== undefined) {
    refuse(`--confirm: expected "${target.database}", found "${target.confirmed}"`);
  }
  const doubts = [...namesThatLookLive(target), ...(await doubtsAboutContent(query))];
  if (doubts.length === 0) return;
  refuse(
    `expected a database for development, found ${doubts.join('; ')}`,
    `if every row in it may go: --confirm ${target.database}`,
  );
}

/** Refuses a default APT_ENV with an explicit DB_HOST: that server may be live. */
function assertEnvironment({ config, isEmbedded }: ResetTarget): void {
  if (!resettable.has(config.aptEnv)) {
    refuse(`expected APT_ENV ci, dev, integration, test or travis, found ${config.aptEnv}`);
  }
  if (!isEmbedded && !config.isAptEnvExplicit) {
    refuse(
      'expected APT_ENV to be set together with DB_HOST, found only DB_HOST',
      'set APT_ENV to what this database is for, such as dev or test',
    );
  }
}

function namesThatLookLive({ host, database }: ResetTarget): string[] {
  const doubts: string[] = [];
  if (liveWords.test(database)) doubts.push(`the name "${database}", which looks live`);
  if (liveWords.test(host) || liveHosts.test(host)) {
    doubts.push(`the host "${host}", which looks live`);
  }
  return doubts;
}

async function doubtsAboutContent(query: Query): Promise<string[]> {
  const doubts: string[] = [];
  const [rds] = await query(`select from pg_catalog.pg_roles where rolname = 'rdsadmin'`);
  if (rds !== undefined) doubts.push('a server of Amazon RDS');
  const unknown = await query<{ name: string }>(
    `select schemaname || '.' || tablename as name
    from pg_catalog.pg_tables
    where schemaname not in ('pg_catalog', 'information_schema', 'registry_stats')
      and not (schemaname = 'public' and tablename = any ($1))
    order by name`,
    [[...launchTables, ...statisticsTables]],
  );
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).map(({ name }) => name);
    const more = unknown.length > names.length ? ` and ${unknown.length - names.length} more` : '';
    doubts.push(`tables that are not ours: ${names.join(', ')}${more}`);
  }
  return doubts;
}

function refuse(message: string, hint = 'nothing was changed'): never {
  throw new AppError('RESET_REFUSED', `reset refused: ${message}`, { hint });
}
