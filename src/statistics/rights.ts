import { jobs } from '../jobs/job.js';
import { materializedViews } from '../jobs/registry-objects.js';

/** One privilege on one object. A view is refreshed by its owner, or with the privilege MAINTAIN. */
export interface Right {
  readonly kind: 'schema' | 'table' | 'function' | 'view';
  readonly privilege: 'usage' | 'select' | 'insert' | 'update' | 'execute' | 'maintain';
  /** Qualified, and as the server prints it: a function with the types of its arguments. */
  readonly object: string;
}

const shown = [...materializedViews, 'historical_deposit_stats'].map(inPublic);

/** What the daemon needs where the statistics are incremental: what sql/roles.sql grants. */
export const incrementalRights: readonly Right[] = [
  ...rights('schema', 'usage', ['public', 'registry_stats']),
  ...rights('table', 'select', [
    ...['delta', 'job', 'run', 'source', 'verification', 'view'].map(
      (name) => `registry_stats.${name}`,
    ),
    ...shown,
  ]),
  ...rights(
    'function',
    'execute',
    [
      'attach_capture(text)',
      'begin_run(text,text)',
      'check_jobs(text[],text)',
      'check_sources()',
      'claim_notification(text,text)',
      'differences(text)',
      'fingerprints(text[])',
      'finish_run(bigint,text,text,bigint,bigint,text[],timestamp with time zone)',
      'obstacle(text)',
      'problems()',
      'rebuild(text)',
      'record_begin(text,text,timestamp with time zone,bigint[])',
      'record_verification(integer)',
      'run_recorded(bigint,text)',
      'swap_views()',
    ].map((signature) => `registry_stats.${signature}`),
  ),
];

/** What it needs in the state of migration 001, whose functions run with the rights of their caller. */
export const legacyRights: readonly Right[] = [
  ...rights('schema', 'usage', ['public']),
  ...rights(
    'function',
    'execute',
    jobs.map(({ name }) => `public.${name}()`),
  ),
  ...rights('view', 'maintain', materializedViews.map(inPublic)),
  ...rights('table', 'select', [
    ...shown,
    ...['ar_internal_metadata', 'generic_files', 'institutions', 'storage_options'].map(inPublic),
  ]),
  ...rights('table', 'insert', ['ar_internal_metadata', 'historical_deposit_stats'].map(inPublic)),
  ...rights('table', 'update', ['public.ar_internal_metadata']),
];

function rights(
  kind: Right['kind'],
  privilege: Right['privilege'],
  objects: readonly string[],
): Right[] {
  return objects.map((object) => ({ kind, privilege, object }));
}

function inPublic(name: string): string {
  return `public.${name}`;
}
