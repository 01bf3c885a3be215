import type { ScanProgress } from '../statistics/rebuild.js';
import type { Invocation } from './invocation.js';

/** Shows how far a scan is and how long it will take, on one line of a terminal; else nothing. */
export function scanProgressTo({ stderr }: Pick<Invocation, 'stderr'>) {
  const startedAt = new Map<string, number>();
  return ({ source, done, total }: ScanProgress): void => {
    if (!stderr.isTTY) return;
    const start = startedAt.get(source) ?? performance.now();
    startedAt.set(source, start);
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    const elapsed = performance.now() - start;
    const remaining = done === 0 ? '' : `, ${duration((elapsed * (total - done)) / done)} left`;
    stderr.write(`\r\u001b[K${source}: ${percent} %${remaining}${done >= total ? '\n' : ''}`);
  };
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
