-- Summary tables kept by row triggers, as people write them by hand: one row per key, changed in
-- the writer's transaction. They hold counts and bytes, but no totals and no distinct objects:
-- those would need more rows that all writers change.

create schema bench_rows;

create table bench_rows.event_count (
  institution_id int,
  event_type varchar,
  outcome varchar,
  row_count bigint not null,
  constraint event_count_key unique nulls not distinct (institution_id, event_type, outcome)
);

create table bench_rows.object_count (
  institution_id int,
  state varchar,
  row_count bigint not null,
  constraint object_count_key unique nulls not distinct (institution_id, state)
);

create table bench_rows.file_count (
  institution_id int,
  state varchar,
  row_count bigint not null,
  constraint file_count_key unique nulls not distinct (institution_id, state)
);

create table bench_rows.work_item_count (
  institution_id int,
  action varchar,
  row_count bigint not null,
  constraint work_item_count_key unique nulls not distinct (institution_id, action)
);

create table bench_rows.deposit (
  institution_id int,
  storage_option varchar,
  row_count bigint not null,
  total_bytes numeric not null,
  constraint deposit_key unique nulls not distinct (institution_id, storage_option)
);

create function bench_rows.count_event()
returns trigger
language plpgsql
as $$
begin
  if tg_op <> 'INSERT' then
    insert into bench_rows.event_count as kept
    values (old.institution_id, old.event_type, old.outcome, -1)
    on conflict on constraint event_count_key do update set row_count = kept.row_count - 1;
  end if;
  if tg_op <> 'DELETE' then
    insert into bench_rows.event_count as kept
    values (new.institution_id, new.event_type, new.outcome, 1)
    on conflict on constraint event_count_key do update set row_count = kept.row_count + 1;
  end if;
  return null;
end
$$;

create function bench_rows.count_object()
returns trigger
language plpgsql
as $$
begin
  if tg_op <> 'INSERT' then
    insert into bench_rows.object_count as kept
    values (old.institution_id, old.state, -1)
    on conflict on constraint object_count_key do update set row_count = kept.row_count - 1;
  end if;
  if tg_op <> 'DELETE' then
    insert into bench_rows.object_count as kept
    values (new.institution_id, new.state, 1)
    on conflict on constraint object_count_key do update set row_count = kept.row_count + 1;
  end if;
  return null;
end
$$;

create function bench_rows.count_file()
returns trigger
language plpgsql
as $$
begin
  if tg_op <> 'INSERT' then
    insert into bench_rows.file_count as kept
    values (old.institution_id, old.state, -1)
    on conflict on constraint file_count_key do update set row_count = kept.row_count - 1;
    if old.state = 'A' then
      insert into bench_rows.deposit as kept
      values (old.institution_id, old.storage_option, -1, -coalesce(old.size, 0))
      on conflict on constraint deposit_key do update
      set
        row_count = kept.row_count - 1,
        total_bytes = kept.total_bytes + excluded.total_bytes;
    end if;
  end if;
  if tg_op <> 'DELETE' then
    insert into bench_rows.file_count as kept
    values (new.institution_id, new.state, 1)
    on conflict on constraint file_count_key do update set row_count = kept.row_count + 1;
    if new.state = 'A' then
      insert into bench_rows.deposit as kept
      values (new.institution_id, new.storage_option, 1, coalesce(new.size, 0))
      on conflict on constraint deposit_key do update
      set
        row_count = kept.row_count + 1,
        total_bytes = kept.total_bytes + excluded.total_bytes;
    end if;
  end if;
  return null;
end
$$;

create function bench_rows.count_work_item()
returns trigger
language plpgsql
as $$
begin
  if tg_op <> 'INSERT' then
    insert into bench_rows.work_item_count as kept
    values (old.institution_id, old.action, -1)
    on conflict on constraint work_item_count_key do update set row_count = kept.row_count - 1;
  end if;
  if tg_op <> 'DELETE' then
    insert into bench_rows.work_item_count as kept
    values (new.institution_id, new.action, 1)
    on conflict on constraint work_item_count_key do update set row_count = kept.row_count + 1;
  end if;
  return null;
end
$$;

-- An update that changes no key, such as a fixity check, does not call the function.

create trigger bench_change
after insert or delete on public.premis_events
for each row
execute function bench_rows.count_event();

create trigger bench_update
after update on public.premis_events
for each row
when (
  row(old.institution_id, old.event_type, old.outcome)
    is distinct from row(new.institution_id, new.event_type, new.outcome)
)
execute function bench_rows.count_event();

create trigger bench_change
after insert or delete on public.intellectual_objects
for each row
execute function bench_rows.count_object();

create trigger bench_update
after update on public.intellectual_objects
for each row
when (row(old.institution_id, old.state) is distinct from row(new.institution_id, new.state))
execute function bench_rows.count_object();

create trigger bench_change
after insert or delete on public.generic_files
for each row
execute function bench_rows.count_file();

create trigger bench_update
after update on public.generic_files
for each row
when (
  row(old.institution_id, old.state, old.storage_option, old.size)
    is distinct from row(new.institution_id, new.state, new.storage_option, new.size)
)
execute function bench_rows.count_file();

create trigger bench_change
after insert or delete on public.work_items
for each row
execute function bench_rows.count_work_item();

create trigger bench_update
after update on public.work_items
for each row
when (row(old.institution_id, old.action) is distinct from row(new.institution_id, new.action))
execute function bench_rows.count_work_item();
