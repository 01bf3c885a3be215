/** The progress of a long step. */
export interface Progress {
  /** The table being read or written. */
  readonly subject: string;
  readonly done: number;
  /** In the unit of `done`. */
  readonly total: number;
  /** Blocks are PostgreSQL's pages. */
  readonly unit: ProgressUnit;
}

export type ProgressUnit = 'blocks' | 'rows' | 'indexes';

/** Parses a notice "registry_stats.progress <subject> <done> <total> <unit>". */
export function parseProgress(notice: string): Progress | undefined {
  const found = /^registry_stats\.progress (\w+) (\d+) (\d+) (blocks|rows|indexes)$/.exec(notice);
  if (found === null) return undefined;
  const [, subject = '', done, total, unit] = found;
  return {
    subject,
    done: Number(done),
    total: Number(total),
    unit: unit as ProgressUnit,
  };
}

/** Returns an `onNotice` handler for SQL that reports progress. */
export function progressNotices(
  onProgress: (progress: Progress) => void,
): (message: string) => void {
  return (message) => {
    const progress = parseProgress(message);
    if (progress !== undefined) onProgress(progress);
  };
}
