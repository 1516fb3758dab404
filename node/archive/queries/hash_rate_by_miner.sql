-- Hashrate of each miner by hour, in the newest day of the archive.
with newest as (select max(time) as time from link)
select date_trunc('hour', share.time) as hour, encode(script.script, 'hex') as script,
    count(*) as shares, trunc(sum(hashes) / 3600) as hashes_per_second
from share join script on script.number = share.script
where share.time > (select time - interval '1 day' from newest)
group by 1, 2 order by 1, 4 desc
