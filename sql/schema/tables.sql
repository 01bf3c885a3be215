-- Registry's tables as they are live, with the real names of keys and indexes; for new development
-- and test databases only. A live Registry has them already: the block below refuses to touch a
-- database that holds any.
-- historical_deposit_stats is not here, migration 001_deposit_stats creates it.

begin;

do $$
declare
  v_existing text;
begin
  select string_agg(pg_tables.tablename, ', ' order by pg_tables.tablename)
    into v_existing
    from pg_catalog.pg_tables
   where pg_tables.schemaname = 'public'
     and pg_tables.tablename in (
       'alerts',
       'alerts_premis_events',
       'alerts_users',
       'alerts_work_items',
       'ar_internal_metadata',
       'bulk_delete_jobs',
       'bulk_delete_jobs_emails',
       'bulk_delete_jobs_generic_files',
       'bulk_delete_jobs_institutions',
       'bulk_delete_jobs_intellectual_objects',
       'checksums',
       'confirmation_tokens',
       'deletion_requests',
       'deletion_requests_generic_files',
       'deletion_requests_intellectual_objects',
       'emails',
       'emails_generic_files',
       'emails_intellectual_objects',
       'emails_premis_events',
       'emails_work_items',
       'generic_files',
       'institutions',
       'intellectual_objects',
       'old_passwords',
       'premis_events',
       'schema_migrations',
       'snapshots',
       'storage_options',
       'storage_records',
       'usage_samples',
       'users',
       'work_items'
     );

  if v_existing is not null then
    raise exception using
      errcode = 'duplicate_table',
      message = 'Expected an empty database for the Registry schema, found tables of Registry',
      detail = format('Tables in schema public: %s', v_existing),
      hint = 'Nothing was changed. Load this file into a new database only;'
        || ' a database of Registry needs only the migrations.';
  end if;
end
$$;

create table public.ar_internal_metadata (
  key varchar not null,
  value varchar,
  created_at timestamp not null,
  updated_at timestamp not null,
  id serial primary key
);

create unique index ix_ar_internal_metadata_uniq_key on public.ar_internal_metadata (key);

create table public.schema_migrations (
  version varchar primary key,
  started_at timestamp,
  finished_at timestamp
);

create table public.institutions (
  id serial primary key,
  name varchar,
  identifier varchar,
  created_at timestamp not null,
  updated_at timestamp not null,
  state varchar,
  type varchar,
  member_institution_id int,
  deactivated_at timestamp,
  otp_enabled boolean,
  receiving_bucket varchar not null,
  restore_bucket varchar not null,
  spot_restore_frequency int not null default 0,
  last_spot_restore_work_item_id bigint
);

create unique index index_institutions_identifier on public.institutions (identifier);
create index index_institutions_on_name on public.institutions (name);
create unique index index_institutions_receiving_bucket on public.institutions (receiving_bucket);
create unique index index_institutions_restore_bucket on public.institutions (restore_bucket);

create table public.storage_options (
  id bigserial primary key,
  provider varchar not null,
  service varchar not null,
  region varchar not null,
  name varchar not null,
  cost_gb_per_month numeric(12, 8) not null,
  comment varchar not null,
  updated_at timestamp not null
);

create unique index index_storage_options_name on public.storage_options (name);

create table public.users (
  id serial primary key,
  name varchar,
  email varchar,
  phone_number varchar,
  created_at timestamp not null,
  updated_at timestamp not null,
  encrypted_password varchar not null default '',
  reset_password_token varchar,
  reset_password_sent_at timestamp,
  remember_created_at timestamp,
  sign_in_count int not null default 0,
  current_sign_in_at timestamp,
  last_sign_in_at timestamp,
  current_sign_in_ip varchar,
  last_sign_in_ip varchar,
  institution_id int,
  encrypted_api_secret_key text,
  password_changed_at timestamp,
  encrypted_otp_secret varchar,
  encrypted_otp_secret_iv varchar,
  encrypted_otp_secret_salt varchar,
  encrypted_otp_sent_at timestamp,
  consumed_timestep int,
  otp_required_for_login boolean,
  deactivated_at timestamp,
  enabled_two_factor boolean default false,
  confirmed_two_factor boolean default false,
  otp_backup_codes varchar[],
  authy_id varchar,
  last_sign_in_with_authy timestamp,
  authy_status varchar,
  email_verified boolean default false,
  initial_password_updated boolean default false,
  force_password_update boolean default false,
  account_confirmed boolean default true,
  grace_period timestamp,
  awaiting_second_factor boolean not null default false,
  role varchar(50) not null default 'none',
  constraint fk_rails_7fcf39ca13
    foreign key (institution_id) references public.institutions (id)
);

create index index_users_on_authy_id on public.users (authy_id);
create unique index index_users_on_email on public.users (email);
create index index_users_on_institution_id on public.users (institution_id);
create index index_users_on_password_changed_at on public.users (password_changed_at);
create unique index index_users_on_reset_password_token on public.users (reset_password_token);

create table public.intellectual_objects (
  id serial primary key,
  title varchar,
  description text,
  identifier varchar,
  alt_identifier varchar,
  access varchar,
  bag_name varchar,
  institution_id int,
  created_at timestamp not null,
  updated_at timestamp not null,
  state varchar,
  etag varchar,
  bag_group_identifier varchar,
  storage_option varchar not null default 'Standard',
  bagit_profile_identifier varchar,
  source_organization varchar,
  internal_sender_identifier varchar,
  internal_sender_description text
);

create index index_intellectual_objects_on_bag_name
  on public.intellectual_objects (bag_name);
create index index_intellectual_objects_on_created_at
  on public.intellectual_objects (created_at);
create unique index index_intellectual_objects_on_identifier
  on public.intellectual_objects (identifier);
create index index_intellectual_objects_on_institution_id
  on public.intellectual_objects (institution_id);
create index index_intellectual_objects_on_updated_at
  on public.intellectual_objects (updated_at);

create table public.generic_files (
  id serial primary key,
  file_format varchar,
  size bigint,
  identifier varchar,
  intellectual_object_id int,
  created_at timestamp not null,
  updated_at timestamp not null,
  state varchar,
  last_fixity_check timestamp not null default '2000-01-01 00:00:00',
  institution_id int not null,
  storage_option varchar not null default 'Standard',
  uuid varchar not null,
  mod_time timestamp
);

create index index_generic_files_on_created_at
  on public.generic_files (created_at);
create unique index index_generic_files_on_identifier
  on public.generic_files (identifier);
create index index_generic_files_on_institution_id
  on public.generic_files (institution_id);
create index index_generic_files_on_institution_id_and_state
  on public.generic_files (institution_id, state);
create index index_generic_files_on_institution_id_and_updated_at
  on public.generic_files (institution_id, updated_at);
create index index_generic_files_on_intellectual_object_id
  on public.generic_files (intellectual_object_id);
create index index_generic_files_on_updated_at
  on public.generic_files (updated_at);
create unique index index_generic_files_on_uuid
  on public.generic_files (uuid);
create index ix_generic_files_state_opt_fixity
  on public.generic_files (state, storage_option, last_fixity_check);
create index ix_gf_last_fixity_check
  on public.generic_files (last_fixity_check);

create table public.checksums (
  id serial primary key,
  algorithm varchar,
  datetime timestamp,
  digest varchar,
  generic_file_id int,
  created_at timestamp not null,
  updated_at timestamp not null,
  constraint fk_rails_89bb0866e7
    foreign key (generic_file_id) references public.generic_files (id)
);

create index index_checksums_on_generic_file_id on public.checksums (generic_file_id);

create table public.storage_records (
  id bigserial primary key,
  generic_file_id int,
  url varchar,
  constraint fk_rails_a126ea6adc
    foreign key (generic_file_id) references public.generic_files (id)
);

create index index_storage_records_on_generic_file_id on public.storage_records (generic_file_id);

create table public.premis_events (
  id serial primary key,
  identifier varchar,
  event_type varchar,
  date_time timestamp,
  outcome_detail varchar,
  detail varchar,
  outcome_information varchar,
  object varchar,
  agent varchar,
  intellectual_object_id int,
  generic_file_id int,
  created_at timestamp not null,
  updated_at timestamp not null,
  outcome varchar,
  institution_id int,
  old_uuid varchar
);

create index index_premis_events_date_time_desc
  on public.premis_events (date_time desc);
create index index_premis_events_on_event_type
  on public.premis_events (event_type);
create index index_premis_events_on_event_type_and_outcome
  on public.premis_events (event_type, outcome);
create index index_premis_events_on_generic_file_id
  on public.premis_events (generic_file_id);
create unique index index_premis_events_on_identifier
  on public.premis_events (identifier);
create index index_premis_events_on_institution_id
  on public.premis_events (institution_id);
create index index_premis_events_on_intellectual_object_id
  on public.premis_events (intellectual_object_id);
create index index_premis_events_on_outcome
  on public.premis_events (outcome);

create table public.deletion_requests (
  id bigserial primary key,
  institution_id int not null,
  requested_by_id int not null,
  requested_at timestamp not null,
  encrypted_confirmation_token varchar not null,
  confirmed_by_id int,
  confirmed_at timestamp,
  cancelled_by_id int,
  cancelled_at timestamp,
  constraint deletion_requests_cancelled_by_id_fkey
    foreign key (cancelled_by_id) references public.users (id),
  constraint deletion_requests_confirmed_by_id_fkey
    foreign key (confirmed_by_id) references public.users (id),
  constraint deletion_requests_institution_id_fkey
    foreign key (institution_id) references public.institutions (id),
  constraint deletion_requests_requested_by_id_fkey
    foreign key (requested_by_id) references public.users (id)
);

create index index_deletion_requests_institution_id on public.deletion_requests (institution_id);

create table public.work_items (
  id serial primary key,
  created_at timestamp not null,
  updated_at timestamp not null,
  intellectual_object_id int,
  generic_file_id int,
  name varchar,
  etag varchar,
  bucket varchar,
  "user" varchar,
  note text,
  action varchar,
  stage varchar,
  status varchar,
  outcome text,
  bag_date timestamp,
  date_processed timestamp,
  retry boolean not null default false,
  node varchar(255),
  pid int default 0,
  needs_admin_review boolean not null default false,
  institution_id int,
  queued_at timestamp,
  size bigint,
  stage_started_at timestamp,
  aptrust_approver varchar,
  inst_approver varchar,
  deletion_request_id bigint,
  constraint fk_work_items_deletion_request_id
    foreign key (deletion_request_id) references public.deletion_requests (id)
);

create index index_work_items_etag_instid_and_name
  on public.work_items (etag, institution_id, name);
create index index_work_items_on_action
  on public.work_items (action);
create index index_work_items_on_date_processed
  on public.work_items (date_processed);
create index index_work_items_on_etag_and_name
  on public.work_items (etag, name);
create index index_work_items_on_generic_file_id
  on public.work_items (generic_file_id);
create index index_work_items_on_inst_id_and_date_processed
  on public.work_items (institution_id, date_processed);
create index index_work_items_on_institution_id
  on public.work_items (institution_id);
create index index_work_items_on_intellectual_object_id
  on public.work_items (intellectual_object_id);
create index index_work_items_on_stage
  on public.work_items (stage);
create index index_work_items_on_status
  on public.work_items (status);

create table public.deletion_requests_generic_files (
  deletion_request_id int not null,
  generic_file_id int not null,
  constraint deletion_requests_generic_files_deletion_request_id_fkey
    foreign key (deletion_request_id) references public.deletion_requests (id),
  constraint deletion_requests_generic_files_generic_file_id_fkey
    foreign key (generic_file_id) references public.generic_files (id)
);

create unique index index_drgf_unique
  on public.deletion_requests_generic_files (deletion_request_id, generic_file_id);

create table public.deletion_requests_intellectual_objects (
  deletion_request_id int not null,
  intellectual_object_id int not null,
  constraint deletion_requests_intellectual_obje_intellectual_object_id_fkey
    foreign key (intellectual_object_id) references public.intellectual_objects (id),
  constraint deletion_requests_intellectual_objects_deletion_request_id_fkey
    foreign key (deletion_request_id) references public.deletion_requests (id)
);

create unique index index_drio_unique
  on public.deletion_requests_intellectual_objects (deletion_request_id, intellectual_object_id);

create table public.alerts (
  id bigserial primary key,
  institution_id int,
  type varchar not null,
  subject varchar not null,
  content text not null,
  deletion_request_id int,
  created_at timestamp not null,
  constraint alerts_deletion_request_id_fkey
    foreign key (deletion_request_id) references public.deletion_requests (id),
  constraint alerts_institution_id_fkey
    foreign key (institution_id) references public.institutions (id)
);

create index index_alerts_institution_id on public.alerts (institution_id);
create index index_alerts_type on public.alerts (type);

create table public.alerts_premis_events (
  alert_id int not null,
  premis_event_id int not null,
  constraint alerts_premis_events_alert_id_fkey
    foreign key (alert_id) references public.alerts (id),
  constraint alerts_premis_events_premis_event_id_fkey
    foreign key (premis_event_id) references public.premis_events (id)
);

create index index_alerts_premis_events_alert_id
  on public.alerts_premis_events (alert_id);
create unique index index_alerts_premis_events_unique
  on public.alerts_premis_events (alert_id, premis_event_id);

create table public.alerts_users (
  alert_id int not null,
  user_id int not null,
  sent_at timestamp,
  read_at timestamp,
  constraint alerts_users_alert_id_fkey
    foreign key (alert_id) references public.alerts (id),
  constraint alerts_users_user_id_fkey
    foreign key (user_id) references public.users (id)
);

create index index_alerts_users_alert_id on public.alerts_users (alert_id);
create unique index index_alerts_users_unique on public.alerts_users (alert_id, user_id);
create index index_alerts_users_user_id on public.alerts_users (user_id);

create table public.alerts_work_items (
  alert_id int not null,
  work_item_id int not null,
  constraint alerts_work_items_alert_id_fkey
    foreign key (alert_id) references public.alerts (id),
  constraint alerts_work_items_work_item_id_fkey
    foreign key (work_item_id) references public.work_items (id)
);

create index index_alerts_work_items_alert_id
  on public.alerts_work_items (alert_id);
create unique index index_alerts_work_items_unique
  on public.alerts_work_items (alert_id, work_item_id);

-- What neither the views nor the statistics read. These tables refer to others by number only: none
-- has a foreign key, and the join tables have neither a key nor a column that must be filled.

create table public.bulk_delete_jobs (
  id bigserial primary key,
  requested_by varchar,
  institutional_approver varchar,
  aptrust_approver varchar,
  institutional_approval_at timestamp,
  aptrust_approval_at timestamp,
  note text,
  created_at timestamp not null,
  updated_at timestamp not null,
  institution_id int not null
);

create table public.bulk_delete_jobs_emails (
  bulk_delete_job_id bigint,
  email_id bigint
);

create index index_bulk_delete_jobs_emails_on_bulk_delete_job_id
  on public.bulk_delete_jobs_emails (bulk_delete_job_id);
create index index_bulk_delete_jobs_emails_on_email_id
  on public.bulk_delete_jobs_emails (email_id);

create table public.bulk_delete_jobs_generic_files (
  bulk_delete_job_id bigint,
  generic_file_id bigint
);

create index index_bulk_delete_jobs_generic_files_on_bulk_delete_job_id
  on public.bulk_delete_jobs_generic_files (bulk_delete_job_id);
create index index_bulk_delete_jobs_generic_files_on_generic_file_id
  on public.bulk_delete_jobs_generic_files (generic_file_id);

create table public.bulk_delete_jobs_institutions (
  bulk_delete_job_id bigint,
  institution_id bigint
);

create index index_bulk_delete_jobs_institutions_on_bulk_delete_job_id
  on public.bulk_delete_jobs_institutions (bulk_delete_job_id);
create index index_bulk_delete_jobs_institutions_on_institution_id
  on public.bulk_delete_jobs_institutions (institution_id);

create table public.bulk_delete_jobs_intellectual_objects (
  bulk_delete_job_id bigint,
  intellectual_object_id bigint
);

create index index_bulk_delete_jobs_intellectual_objects_on_bulk_job_id
  on public.bulk_delete_jobs_intellectual_objects (bulk_delete_job_id);
create index index_bulk_delete_jobs_intellectual_objects_on_object_id
  on public.bulk_delete_jobs_intellectual_objects (intellectual_object_id);

create table public.confirmation_tokens (
  id bigserial primary key,
  token varchar,
  intellectual_object_id int,
  generic_file_id int,
  institution_id int,
  user_id int
);

create table public.emails (
  id bigserial primary key,
  email_type varchar,
  event_identifier varchar,
  item_id int,
  email_text text,
  user_list text,
  created_at timestamp not null,
  updated_at timestamp not null,
  intellectual_object_id int,
  generic_file_id int,
  institution_id int
);

create table public.emails_generic_files (
  generic_file_id bigint,
  email_id bigint
);

create index index_emails_generic_files_on_email_id
  on public.emails_generic_files (email_id);
create index index_emails_generic_files_on_generic_file_id
  on public.emails_generic_files (generic_file_id);

create table public.emails_intellectual_objects (
  intellectual_object_id bigint,
  email_id bigint
);

create index index_emails_intellectual_objects_on_email_id
  on public.emails_intellectual_objects (email_id);
create index index_emails_intellectual_objects_on_intellectual_object_id
  on public.emails_intellectual_objects (intellectual_object_id);

create table public.emails_premis_events (
  premis_event_id bigint,
  email_id bigint
);

create index index_emails_premis_events_on_email_id
  on public.emails_premis_events (email_id);
create index index_emails_premis_events_on_premis_event_id
  on public.emails_premis_events (premis_event_id);

create table public.emails_work_items (
  work_item_id bigint,
  email_id bigint
);

create index index_emails_work_items_on_email_id
  on public.emails_work_items (email_id);
create index index_emails_work_items_on_work_item_id
  on public.emails_work_items (work_item_id);

create table public.old_passwords (
  id bigserial primary key,
  encrypted_password varchar not null,
  password_salt varchar,
  password_archivable_type varchar not null,
  password_archivable_id int not null,
  created_at timestamp
);

create index index_password_archivable
  on public.old_passwords (password_archivable_type, password_archivable_id);

create table public.snapshots (
  id bigserial primary key,
  audit_date timestamp,
  institution_id int,
  apt_bytes bigint,
  cost numeric,
  created_at timestamp not null,
  updated_at timestamp not null,
  snapshot_type varchar,
  cs_bytes bigint,
  go_bytes bigint
);

create table public.usage_samples (
  id serial primary key,
  created_at timestamp not null,
  updated_at timestamp not null,
  institution_id varchar,
  data text
);

-- Institutions, users, deletion requests and work items refer to each other in a circle.
alter table public.institutions
  add constraint fk_institutions_last_spot_restore
    foreign key (last_spot_restore_work_item_id) references public.work_items (id);

commit;
