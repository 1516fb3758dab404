-- Valid shares of the newest day that no link of the main chain lists or is, and that none may list any more: work that earns
-- nothing.
with day as (
    select time as begins, height as lowest from link
    where time > (select max(time) - interval '1 day' from link) order by time limit 1
), main as (
    -- By height, by which places are found, and from a little before the day: times of links are not quite in order.
    select key, list from main_link
    where height >= (select lowest - 60 from day) and time >= (select begins - interval '1 hour' from day)
), listed as (
    select share_key(substr(list, 32 * position + 1, 8)) as key
    from main cross join lateral generate_series(0, octet_length(list) / 32 - 1) as position
    union select key from main
), found as materialized (
    -- By time alone: an index by key would be read from end to end.
    select key, height, script, weight from share where time >= (select begins from day)
)
select encode(script.script, 'hex') as script, count(*) as shares, sum(found.weight) as weight
from found join script on script.number = found.script
where not exists (select from listed where listed.key = found.key)
    and found.height < (select max(height) from place) - (select listing_depth from pool)
group by 1 order by 2 desc, 1
