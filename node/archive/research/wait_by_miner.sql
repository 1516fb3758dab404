-- How long do shares wait until a link lists them, by miner? Miners are numbered by their waits. Shares on the last 100 links are
-- left out: they may still wait.
with listed as (
    select share_key(share) as share, place.height, main.time
    from listing join place on place.link = listing.link join link as main on main.key = listing.link
), waited as (
    select share.script, extract(epoch from listed.time - share.time)::numeric as wait_s, listed.height - share.height as links
    from share left join listed on listed.share = share.key
    where not share.is_link and share.height < (select max(height) - 100 from place)
)
select row_number() over (order by avg(wait_s), script) as miner, count(*) as shares,
    round(avg(wait_s), 1) as "mean wait, s", percentile_disc(0.5) within group (order by wait_s)::integer as "median, s",
    percentile_disc(0.95) within group (order by wait_s)::integer as "95 of 100, s",
    round(100.0 * count(*) filter (where links > 1) / count(*), 1) as "not in the next link, %",
    count(*) filter (where links is null) as "never listed"
from waited group by script order by 1
