/** How far a piece of long work is. */
export interface Progress {
  /** What is worked on: a table. */
  readonly subject: string;
  readonly done: number;
  /** Of the whole work, in the same unit. */
  readonly total: number;
  /** Blocks are PostgreSQL's pages. */
  readonly unit: 'blocks' | 'rows';
}

/** Long SQL tells how far it is in notices: "registry_stats.progress <subject> <done> <total> <unit>". */
export function parseProgress(notice: string): Progress | undefined {
  const found = /^registry_stats\.progress (\w+) (\d+) (\d+) (blocks|rows)$/.exec(notice);
  if (found === null) return undefined;
  const [, subject = '', done, total, unit] = found;
  return {
    subject,
    done: Number(done),
    total: Number(total),
    unit: unit === 'rows' ? 'rows' : 'blocks',
  };
}

/** For `onNotice` of a transaction whose SQL tells its progress. */
export function progressNotices(
  onProgress: (progress: Progress) => void,
): (message: string) => void {
  return (message) => {
    const progress = parseProgress(message);
    if (progress !== undefined) onProgress(progress);
  };
}
