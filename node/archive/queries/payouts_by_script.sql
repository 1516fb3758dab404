-- What each script was paid, in blocks that are in Bitcoin's best chain as far as the archive knows.
with recursive best as (
    (select hash, previous from bitcoin_header order by chain_work desc, hash limit 1)
    union all
    select header.hash, header.previous from best join bitcoin_header as header on header.hash = best.previous
)
select encode(script.script, 'hex') as script, count(*) as payouts, sum(payout.value_sat) as satoshi
from best join payout on payout.block = best.hash join script on script.number = payout.script
group by 1 order by 3 desc, 1
