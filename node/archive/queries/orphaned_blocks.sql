-- Blocks that the pool found and Bitcoin left behind.
with recursive best as (
    (select hash, previous from bitcoin_header order by chain_work desc, hash limit 1)
    union all
    select header.hash, header.previous from best join bitcoin_header as header on header.hash = best.previous
)
select encode(block.hash, 'hex') as block, block.height, block.time, block.value_sat
from block join bitcoin_header using (hash)
where not exists (select from best where best.hash = block.hash) order by block.height
