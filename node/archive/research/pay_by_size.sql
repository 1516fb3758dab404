-- Does a miner's pay for its work depend on its size? Work: what its shares and links weigh. Credited: what the main chain's
-- links credit it. Paid: what Bitcoin's best chain paid it. All as parts of the pool's.
with recursive best as (
    (select hash, previous from bitcoin_header order by chain_work desc, hash limit 1)
    union all
    select header.hash, header.previous from best join bitcoin_header as header on header.hash = best.previous
), found as (
    select script, sum(weight) as weight from share group by script
), credited as (
    select credit.script, sum(credit.weight) as weight
    from credit join place on place.link = credit.link group by credit.script
), paid as (
    select payout.script, sum(payout.value_sat) as satoshi from best join payout on payout.block = best.hash group by payout.script
), miner as (
    select found.weight, coalesce(credited.weight, 0) as credited, coalesce(paid.satoshi, 0) as satoshi,
        found.weight / sum(found.weight) over () as part
    from found left join credited using (script) left join paid using (script)
)
select case when part >= 0.2 then 'a fifth of the pool or more' when part >= 0.04 then '4% to 20%' else 'less than 4%' end as "size of a miner",
    count(*) as miners, round(100 * sum(part), 1) as "work, %", round(100 * sum(credited) / (select sum(credited) from miner), 1) as "credited, %",
    round(100 * sum(satoshi) / (select sum(satoshi) from miner), 1) as "paid, %"
from miner group by 1 order by max(part) desc
