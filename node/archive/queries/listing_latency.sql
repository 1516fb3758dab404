-- Seconds from a share to the link that lists it, by hour of the newest day: median and 99 of 100.
with day as (
    select time as begins, height as lowest from link
    where time > (select max(time) - interval '1 day' from link) order by time limit 1
), found as materialized (
    -- By time alone, and with a column that the index by key lacks: it would be read from end to end.
    select key, time, height from share where time >= (select begins - interval '1 day' from day)
)
select date_trunc('hour', link.time) as hour, count(*) as shares,
    percentile_cont(0.5) within group (order by extract(epoch from link.time - found.time)) as median_s,
    percentile_cont(0.99) within group (order by extract(epoch from link.time - found.time)) as p99_s
from main_link as link cross join lateral generate_series(0, octet_length(link.list) / 32 - 1) as position
join found on found.key = share_key(substr(link.list, 32 * position + 1, 8))
    and found.height <= link.height
where link.time >= (select begins from day)
    -- The same by height, by which places are found.
    and link.height >= (select lowest - 60 from day)
group by 1 order by 1
