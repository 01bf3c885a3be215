import type { Database } from '../db/database.js';
import { isIncremental } from '../statistics/installation.js';
import { setAlarm, type Alarm } from './alarm.js';
import type { DaemonContext } from './daemon-context.js';

/** Twice a day, so that an alarm over one day does not end between two checks. */
const checkSchedule = '30 8,20 * * *';

/** The default VERIFY_SCHEDULE is once a week; this leaves two days to notice and repeat it. */
const overdueMs = 9 * 24 * 3_600_000;

type AgeContext = Pick<DaemonContext, 'database' | 'events'>;

/** Checks the age of the last verification. VERIFY_SCHEDULE does not matter: it may be off. */
export function setAgeAlarm(context: AgeContext): Alarm {
  return setAlarm(checkSchedule, () => void checkAge(context));
}

/** Reports figures without a verification for nine days. */
export async function checkAge({ database, events }: AgeContext): Promise<void> {
  // Runs report an outage, and the next check follows.
  const since = await readSince(database).catch(() => null);
  if (since === null || Date.now() - since.getTime() < overdueMs) return;
  events.emit({ type: 'verification-overdue', since });
}

/** Returns the last verification or, before the first one, when the figures were computed. */
async function readSince(database: Pick<Database, 'read'>): Promise<Date | null> {
  if (!(await isIncremental(database))) return null;
  const [row] = await database.read<{ since: Date | null }>(
    `select coalesce(
      (select pg_catalog.max(finished_at) from registry_stats.verification),
      (select pg_catalog.min(rebuilt_at) from registry_stats.source)
    ) as since`,
  );
  return row?.since ?? null;
}
