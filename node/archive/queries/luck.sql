-- Luck of each block: the pool's work since its last block, in expected blocks. Below 1 is lucky.
with found as (select hash, time, height, coalesce(lag(time) over (order by time, hash), '-infinity') as since from block)
select found.height, found.time, round(sum(share.weight) / 2::numeric ^ 64, 4) as expected_blocks
from found join share on share.time > found.since and share.time <= found.time
group by found.hash, found.height, found.time order by found.time
