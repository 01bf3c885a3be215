import {
  liveStateText,
  registryFunctionTexts,
  registryViews,
  registryViewText,
} from '../support/live-state.js';
import { splitStatements } from '../../src/schema/split-statements.js';
import { sources, type Source } from '../../src/statistics/installation.js';
import { newRow } from './rows.js';
import type { RandomNumbers } from './random-numbers.js';
import { expectedFailure, Session } from './session.js';
import { insert } from './workload.js';
import type { WorkerOptions } from './workers.js';

/** A captured column of each table. */
const columns: Record<Source, string> = {
  generic_files: 'storage_option',
  intellectual_objects: 'state',
  premis_events: 'outcome',
  work_items: 'action',
};

/**
 * Changes statistics and tables by hand, as Registry's operators may. None of these statements may
 * fail, except when it waits for a lock.
 */
export async function actAsRegistrysPeople(
  { target, scene, random }: WorkerOptions,
  migrate: () => Promise<void>,
): Promise<void> {
  const session = new Session(target, 'exactness worker');
  for (;;) {
    await scene.next('progress', random.int(5, 15));
    if (scene.isOver) return;
    const action = random.weighted({
      refresh: 20,
      'refresh within a transaction': 10,
      'no data': 12,
      'drop view': 8,
      'create view again': 12,
      'drop index': 6,
      'put functions back': 5,
      'all migrations again': 2,
      migrate: 8,
      'rename and back': 15,
      detach: 10,
    });
    try {
      if (action === 'migrate') await migrate();
      else {
        await session.use(async (client) => {
          for (const text of statementsOf(action, random)) await client.query(text);
        });
      }
      scene.count(`people: ${action}`);
    } catch (error) {
      const code = expectedFailure(error);
      if (code === undefined && !isTheirs(error)) scene.problem({ action, error });
      scene.count(`people, in vain: ${action}`);
    }
  }
}

/**
 * Whether their own statements collided: a refresh of a view that they dropped or emptied, or a
 * create of a view that exists by now. In the catalog, 23505 is 42P07 for a create that waited.
 */
function isTheirs(error: unknown): boolean {
  const { code = '', schema } = error as { code?: string; schema?: string };
  if (code === '23505') return schema === 'pg_catalog';
  return ['42P01', '55000', 'XX000', '42P07', '0A000'].includes(code);
}

function statementsOf(action: string, random: RandomNumbers): string[] {
  const view = random.pick(registryViews);
  const source = random.pick(sources);
  const inSearchPath = (texts: readonly string[]): string[] => [
    'set search_path = public',
    ...texts.flatMap((text) => splitStatements(text).map((statement) => statement.text)),
    'reset search_path',
  ];
  switch (action) {
    case 'refresh':
      return [`refresh materialized view concurrently public.${view}`];
    case 'refresh within a transaction':
      return [
        'begin',
        `refresh materialized view public.${view}`,
        random.chance(0.5) ? 'commit' : 'rollback',
      ];
    case 'no data':
      return [`refresh materialized view public.${view} with no data`];
    case 'drop view':
      return [`drop materialized view if exists public.${view}`];
    case 'create view again':
      return inSearchPath([registryViewText(view, { isFilled: random.chance(0.7) })]);
    case 'drop index':
      return [
        `drop index if exists public.${
          view === 'current_deposit_stats'
            ? 'ix_current_deposits_inst_id_storage_option'
            : `ix_${view}`
        }`,
      ];
    case 'put functions back':
      return inSearchPath(registryFunctionTexts);
    case 'all migrations again':
      return inSearchPath([liveStateText]);
    case 'rename and back': {
      const column = columns[source];
      const row = newRow(source, random, `renamed-${String(random.next())}`);
      const renamed = Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name === column ? 'of_old' : name, value]),
      );
      return [
        'begin',
        `alter table public.${source} rename column ${column} to of_old`,
        insert(source, [renamed]),
        `update public.${source} set of_old = 'x' where id = (select max(id) from public.${source})`,
        `alter table public.${source} rename column of_old to ${column}`,
        'commit',
      ];
    }
    case 'detach':
      return ['begin', `select registry_stats.detach('${source}')`, 'commit'];
    default:
      throw new Error(`no such action: ${action}`);
  }
}
