-- Reorganizations by day: how many, how deep, and how many links lost their places.
select date_trunc('day', time) as day, count(*) as reorganizations, max(left_links) as deepest, sum(left_links) as links
from reorganization group by 1 order by 1
