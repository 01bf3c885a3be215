-- registry_stats.live_<view>, and the triggers on our own tables.
select registry_stats.make_live_views(), registry_stats.install_guards();
