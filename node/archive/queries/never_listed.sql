-- Valid shares of the newest day that no link of the main chain lists or is: work that earns nothing.
with day as (select max(time) - interval '1 day' as begins from link),
listed as (
    select share_key(share) as key from listing join place on place.link = listing.link, day
    where listing.time > day.begins
    union select key from main_link, day where main_link.time > day.begins
)
select encode(script.script, 'hex') as script, count(*) as shares, sum(share.weight) as weight
from share join script on script.number = share.script, day
where share.time > day.begins and not exists (select from listed where listed.key = share.key)
group by 1 order by 2 desc, 1
