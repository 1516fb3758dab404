-- What readers need of the index by time: that the server summarizes it as rows come, and not only when it vacuums. Rows
-- that are not summarized are all looked at.
drop index share_time;
create index share_time on share using brin (time) with (pages_per_range = 32, autosummarize = on);
