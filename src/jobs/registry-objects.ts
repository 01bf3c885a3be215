/** The tables that statistics are computed from, and those that migrations need. */
export const neededTables = [
  'storage_options',
  'institutions',
  'intellectual_objects',
  'generic_files',
  'premis_events',
  'work_items',
  'ar_internal_metadata',
  'schema_migrations',
] as const;

/** All tables of `sql/schema/`, in the order of their references. */
export const launchTables = [
  'storage_options',
  'institutions',
  'users',
  'deletion_requests',
  'intellectual_objects',
  'generic_files',
  'checksums',
  'storage_records',
  'premis_events',
  'work_items',
  'deletion_requests_generic_files',
  'deletion_requests_intellectual_objects',
  'alerts',
  'alerts_premis_events',
  'alerts_users',
  'alerts_work_items',
  'bulk_delete_jobs',
  'bulk_delete_jobs_emails',
  'bulk_delete_jobs_generic_files',
  'bulk_delete_jobs_institutions',
  'bulk_delete_jobs_intellectual_objects',
  'confirmation_tokens',
  'emails',
  'emails_generic_files',
  'emails_intellectual_objects',
  'emails_premis_events',
  'emails_work_items',
  'old_passwords',
  'snapshots',
  'usage_samples',
  'ar_internal_metadata',
  'schema_migrations',
] as const;

export const plainViews = [
  'alerts_view',
  'checksums_view',
  'deletion_requests_view',
  'generic_files_view',
  'institutions_view',
  'intellectual_objects_view',
  'premis_events_view',
  'storage_option_stats',
  'users_view',
  'work_items_view',
] as const;

/** The tables that migration 001 adds. */
export const statisticsTables = ['historical_deposit_stats'] as const;

/** The views of migration 001. A database may declare more, in registry_stats.view. */
export const materializedViews = [
  'premis_event_counts',
  'intellectual_object_counts',
  'generic_file_counts',
  'work_item_counts',
  'current_deposit_stats',
] as const;

export const statisticsFunctions = [
  'update_counts()',
  'update_current_deposit_stats()',
  'populate_all_historical_deposit_stats()',
  'populate_historical_deposit_stats(date)',
  'populate_historical_deposit_stats(timestamp)',
  'populate_empty_deposit_stats()',
] as const;
