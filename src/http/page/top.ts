import type { Status } from '../../status/model.js';
import type { Clock } from './clock.js';
import { byId, create, setText } from './dom.js';

/** Shows which installation this is, so that nobody mistakes staging for production. */
export function showInstallation(status: Status, startedAt: HTMLElement): void {
  const { environment, databaseName, databaseHost, programVersion } = status.installation;
  const badge = byId('environment');
  badge.hidden = false;
  badge.dataset['environment'] = environment;
  setText(badge, environment.toUpperCase());
  byId('database').replaceChildren(create('b', {}, databaseName), ` on ${databaseHost}`);
  setText(byId('program'), `registry-stats ${programVersion}`);
  const legacy = status.statistics.mode === 'plain' ? ' The database is in the legacy state.' : '';
  const process = byId('process');
  process.replaceChildren('Running since ', startedAt, `, process ${status.pid}.${legacy}`);
}

/** Shows the daemon's time. */
export function showNow(clock: Clock): void {
  const now = clock.now();
  const day = clock.zone.day(now, now);
  setText(byId('clock'), `${day} ${clock.zone.minute(now)} ${clock.zone.name(now)}`);
}
