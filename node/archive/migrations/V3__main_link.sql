-- What the server did for each batch grew with the chain: it read all places. Now a batch costs what its own links cost.

-- Heights are those of `place`. Of those of `link` the server cannot know that they are the same, and so it read all places for the
-- newest link of the main chain.
create or replace view main_link as
    select link.key, link.time, place.height, link.bitcoin_height, link.id, link.parent, link.previous_block, link.state_root,
        link.chain_work, link.link_hashes, link.share_hashes, link.list, link.credit_scripts, link.credit_proofs, link.credit_weights
    from place join link on link.key = place.link;

-- As before, but places above the tip are looked for only if there are any.
create or replace function place_tip(tip bytea) returns integer language plpgsql as $$
declare
    tip_work numeric;
    tip_height integer;
    main_work numeric;
    main_height integer;
    fork integer;
begin
    -- One loader at a time, until its transaction ends.
    perform pg_advisory_xact_lock(hashtextextended('shoal.place', 0));
    select chain_work, height into tip_work, tip_height from link where key = share_key(tip);
    select chain_work, height into main_work, main_height from main_link order by height desc limit 1;
    if tip_work is null or tip_work <= main_work then
        return null;
    end if;
    with recursive branch as (
        select key, height, parent from link where key = share_key(tip)
        union all
        select link.key, link.height, link.parent from branch join link on link.key = share_key(branch.parent)
        where not exists (select from place where place.height = link.height and place.link = link.key)
    ), placed as (
        insert into place (height, link) select height, key from branch
        on conflict (height) do update set link = excluded.link
        returning height
    )
    select min(height) - 1 into fork from placed;
    if main_height > tip_height then
        delete from place where height > tip_height;
    end if;
    perform pg_notify('shoal', json_build_object('height', tip_height, 'fork', fork)::text);
    return fork;
end
$$;
