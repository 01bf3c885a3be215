import { InvalidArgumentError, Option } from 'commander';
import { duration } from '../config/value-schemas.js';
import { AppError } from '../errors.js';
import { titleOf } from '../jobs/job.js';
import { printable } from '../printable.js';
import type { JobStatus, Status } from '../status/model.js';

/** A duration as it was given, and in milliseconds. */
export interface MaxAge {
  readonly text: string;
  readonly ms: number;
}

/** For programs that must not use old figures. */
export function maxAgeOption(): Option {
  return new Option(
    '--max-age <duration>',
    'exit with code 12 if the figures of a job are older, such as 2h or 90m',
  ).argParser((text): MaxAge => {
    const { success, data, error } = duration.safeParse(text);
    if (success) return { text, ms: data };
    throw new InvalidArgumentError(`Expected ${error.issues[0]?.message ?? 'a duration'}.`);
  });
}

/** @throws AppError FIGURES_TOO_OLD if the figures of a job are older, or of unknown age */
export function assertMaxAge(
  { jobs, answeredAt }: Pick<Status, 'jobs' | 'answeredAt'>,
  { text, ms }: MaxAge,
): void {
  const oldest = Date.parse(answeredAt) - ms;
  const old = jobs.filter((job) => {
    // Also true for a text that is no time.
    return !(Date.parse(asOf(job) ?? '') >= oldest);
  });
  if (old.length === 0) return;
  const found = old.map((job) => `${titleOf(job.job)} as of ${asOf(job) ?? 'an unknown time'}`);
  throw new AppError(
    'FIGURES_TOO_OLD',
    printable(`expected figures not older than ${text}, found ${found.join(', ')}`),
    { hint: '`registry-stats status` shows why; `registry-stats refresh` refreshes them' },
  );
}

/** In the legacy state only the time of the refresh may be known. */
function asOf({ dataAsOf, lastRefresh }: JobStatus): string | null {
  return dataAsOf ?? lastRefresh;
}
