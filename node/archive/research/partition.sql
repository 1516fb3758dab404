-- What does a partition cost? It left the longest branch without a place: shares from its fork to its last link, by the side
-- of the link that they extend.
with recursive lost as (
    select key, time, height, share_key(parent) as parent from link
    where not exists (select from place where place.link = link.key)
), branch as (
    select lost.key, lost.time, 1 as links, main.time as since
    from lost join place on place.link = lost.parent join link as main on main.key = lost.parent
    union all
    select lost.key, lost.time, branch.links + 1, branch.since from branch join lost on lost.parent = branch.key
), longest as (
    select * from branch order by links desc, time desc limit 1
), listed as (
    select share_key(share) as key from listing join place on place.link = listing.link union select link from place
), judged as (
    select share.weight, exists (select from listed where listed.key = share.key) as is_credited,
        case when share.time <= longest.since or share.time > longest.time then 'before and after'
            when exists (select from place where place.link = share.parent) then 'during it, on the side that won'
            else 'during it, on the side that lost' end as side
    from share, longest where share.height < (select max(height) from place) - (select listing_depth from pool)
)
select side as "shares and links found", count(*) as number,
    round(100 * sum(weight) / (select sum(weight) from judged), 2) as "work, %",
    round(100 * coalesce(sum(weight) filter (where is_credited), 0) / sum(weight), 1) as "credited, %"
from judged group by 1 order by 1
