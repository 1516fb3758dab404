-- Seconds from a share to the link that lists it, by hour of the newest day: median and 99 of 100.
with day as (
    select time as begins, height as lowest from link
    where time > (select max(time) - interval '1 day' from link) order by time limit 1
)
select date_trunc('hour', link.time) as hour, count(*) as shares,
    percentile_cont(0.5) within group (order by extract(epoch from link.time - share.time)) as median_s,
    percentile_cont(0.99) within group (order by extract(epoch from link.time - share.time)) as p99_s
from main_link as link cross join lateral generate_series(0, octet_length(link.list) / 32 - 1) as position
join share on share.key = share_key(substr(link.list, 32 * position + 1, 8))
    and share.time between link.time - interval '1 day' and link.time + interval '2 hours'
where link.time >= (select begins from day)
    -- The same once more, as places and shares are found: by height, and by time.
    and link.height >= (select lowest - 60 from day)
    and share.time >= (select begins - interval '1 day' from day)
group by 1 order by 1
