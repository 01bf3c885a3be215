-- Creates registry_stats.live_<view>, and the guard triggers on our tables.
select registry_stats.make_live_views(), registry_stats.install_guards();
