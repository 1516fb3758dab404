-- How often do links lose their places, and how many at once? A branch that lost, from the main chain up to its tip.
with recursive lost as (
    select key, share_key(parent) as parent from link where not exists (select from place where place.link = link.key)
), branch as (
    select lost.key, 1 as links from lost join place on place.link = lost.parent
    union all
    select lost.key, branch.links + 1 from branch join lost on lost.parent = branch.key
), tip as (
    select * from branch where not exists (select from lost where lost.parent = branch.key)
), main as (
    select count(*) as links from place
)
select tip.links as "links of the branch", count(*) as branches, count(*) * tip.links as "links without a place",
    round(100.0 * count(*) * tip.links / ((select count(*) from lost) + (select links from main)), 2) as "of all links, %"
from tip group by tip.links order by tip.links
