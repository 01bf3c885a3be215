import type { Config } from '../config/config.js';

export const jobNames = [
  'update_counts',
  'update_current_deposit_stats',
  'populate_all_historical_deposit_stats',
] as const;

export type JobName = (typeof jobNames)[number];

/** One of Registry's statistics functions. */
export interface Job {
  readonly name: JobName;
  /** A short name for people. */
  readonly title: string;
  /** The figures it keeps fresh, in words. */
  readonly subject: string;
  /** The key of its flag in ar_internal_metadata. */
  readonly flag: string;
  /**
   * The materialized views it refreshes, in the order of registry_stats.views_of. The history is a
   * table, so it has none.
   */
  readonly views: readonly string[];
  readonly statementTimeoutMs: (config: Config) => number;
}

/** All jobs, in the order they run. */
export const jobs: readonly Job[] = [
  {
    name: 'update_counts',
    title: 'Counts',
    subject: 'counts of events, objects, files and work items',
    flag: 'update counts is running',
    views: [
      'premis_event_counts',
      'intellectual_object_counts',
      'generic_file_counts',
      'work_item_counts',
    ],
    statementTimeoutMs: (config) => config.timeouts.countsMs,
  },
  {
    name: 'update_current_deposit_stats',
    title: 'Current deposits',
    subject: 'current deposits',
    flag: 'current_deposit_stats is running',
    views: ['current_deposit_stats'],
    statementTimeoutMs: (config) => config.timeouts.depositsMs,
  },
  {
    name: 'populate_all_historical_deposit_stats',
    title: 'Deposit history',
    subject: 'deposits on the first of each month',
    flag: 'historical deposit stats is running',
    views: [],
    statementTimeoutMs: (config) => config.timeouts.historyMs,
  },
];

export function jobNamed(name: JobName): Job {
  const job = jobs.find((candidate) => candidate.name === name);
  if (job === undefined) throw new Error(`no such job: ${name}`);
  return job;
}

export function isJobName(name: string): name is JobName {
  return (jobNames as readonly string[]).includes(name);
}
