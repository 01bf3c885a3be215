-- Returns whether deltas are pending: those of transactions that the last fold did not see. Finds
-- them by transaction id. So it steps neither over deltas that are folded, which remain as dead
-- rows while an old snapshot is open, nor over those that are not committed yet.
create or replace function registry_stats.has_pending()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_now constant pg_snapshot := pg_current_snapshot();
  v_after xid8;
  v_unfolded xid8[];
  v_xid xid8;
begin
  select epoch.folded_to, epoch.unfolded
  into v_after, v_unfolded
  from registry_stats.epoch
  where epoch.name = 'rollups';
  -- Nothing is known, or the row was deleted. Deltas may have transaction ids of another server.
  if coalesce(v_after, '0') = '0' then
    return exists (select from registry_stats.delta);
  end if;

  -- Transactions that were open at the last fold, and our own.
  foreach v_xid in array v_unfolded || pg_current_xact_id_if_assigned() loop
    if (v_xid = pg_current_xact_id_if_assigned() or pg_visible_in_snapshot(v_xid, v_now))
      and exists (select from registry_stats.delta where delta.xid = v_xid)
    then
      return true;
    end if;
  end loop;

  -- Later ones, in the gaps between those that are open now.
  for v_xid in
    select open.xid
    from pg_snapshot_xip(v_now) as open (xid)
    where open.xid > v_after
    order by open.xid
  loop
    if exists (select from registry_stats.delta where delta.xid > v_after and delta.xid < v_xid) then
      return true;
    end if;
    v_after := v_xid;
  end loop;
  return exists (
    select
    from registry_stats.delta
    where delta.xid > v_after
      and delta.xid < pg_snapshot_xmax(v_now)
  );
end
$$;

comment on function registry_stats.has_pending() is 'Whether deltas are pending.';
