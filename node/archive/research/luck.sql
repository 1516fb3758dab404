-- Is the work between two blocks distributed as theory says, exponentially with a mean of one expected block? The largest
-- distance between both distributions is below the limit in 95 of 100 true samples (Kolmogorov and Smirnov).
with found as (
    select time, hash, lag(time) over (order by time, hash) as since from block
), luck as (
    select found.hash, sum(share.weight) / 2::numeric ^ 64 as blocks
    from found join share on share.time > found.since and share.time <= found.time
    where found.since is not null group by found.hash
), ranked as (
    select blocks, row_number() over (order by blocks) as place, count(*) over () as number from luck
)
select max(number) as rounds, round(avg(blocks), 2) as "mean, expected blocks", round(stddev(blocks), 2) as "deviation",
    round(percentile_cont(0.5) within group (order by blocks)::numeric, 2) as "median (theory: 0.69)", round(max(blocks), 2) as "worst",
    round(max(greatest(abs(place / number::numeric - (1 - exp(-blocks))), abs((place - 1) / number::numeric - (1 - exp(-blocks))))), 3)
        as "largest distance", round((1.358 / sqrt(max(number)))::numeric, 3) as "limit"
from ranked
