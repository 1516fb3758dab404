-- The history of one pool. specs/archive.md explains every table. Rows are only added, except in `place` and `source`.

-- The pool whose history this is: one row.
create table pool (
    consensus_id bytea primary key check (octet_length(consensus_id) = 32),
    network text not null,
    name text not null,
    listing_depth integer not null
);
create unique index pool_one on pool ((true));

-- Payout scripts, once each.
create table script (
    number integer generated always as identity primary key,
    script bytea not null unique
);

-- The key of a share or link: the first eight bytes of its id, as a number. Ids are hashes that cost work, so that nobody
-- can make two with one key.
create function share_key(id bytea) returns bigint language sql immutable parallel safe as
    $$ select ('x' || encode(substr(id, 1, 8), 'hex'))::bit(64)::bigint $$;

-- Valid proofs: shares, and links as what they earn.
create table share (
    time timestamptz not null,
    key bigint not null,
    parent bigint not null,
    coinbase_value bigint not null,
    height integer not null,
    bitcoin_height integer not null,
    script integer not null,
    is_link boolean not null,
    is_block boolean not null,
    id bytea not null,
    weight numeric not null,
    hashes numeric not null,
    primary key (key, time)
) partition by range (time);
create index share_time on share using brin (time);
create index share_script on share (script, height);

-- Complete links, with the ids that they list, 32 bytes each, and what they credit, in arrays of the same length.
create table link (
    key bigint primary key,
    time timestamptz not null,
    height integer not null,
    bitcoin_height integer not null,
    id bytea not null,
    parent bytea not null,
    previous_block bytea not null,
    state_root bytea not null,
    chain_work numeric not null,
    link_hashes numeric not null,
    share_hashes numeric not null,
    list bytea,
    credit_scripts integer[] not null,
    credit_proofs smallint[] not null,
    credit_weights numeric[] not null
);
create index link_height on link (height);
create index link_time on link (time);

-- The main chain by height: the branch with the most chain work that any loader followed.
create table place (
    height integer primary key,
    link bigint not null
);

-- Changes of the tip by which links lost their places.
create table reorganization (
    time timestamptz not null,
    fork_height integer not null,
    left_links integer not null,
    entered_links integer not null,
    old_tip bytea not null,
    new_tip bytea not null,
    primary key (new_tip, old_tip)
);
create index reorganization_time on reorganization (time);

-- Bitcoin headers that the share-chain was built on.
create table bitcoin_header (
    time timestamptz not null,
    height integer not null,
    hash bytea primary key,
    previous bytea not null,
    chain_work numeric not null,
    content bytea not null
);
create index bitcoin_header_height on bitcoin_header (height);

-- Bitcoin blocks that the pool found, and what they pay.
create table block (
    time timestamptz not null,
    value_sat bigint not null,
    height integer not null,
    finder integer not null,
    exact integer,
    hash bytea primary key,
    previous bytea not null,
    snapshot bytea not null,
    seed bytea not null,
    coinbase bytea not null,
    proof bytea not null
);
create index block_height on block (height);

create table payout (
    value_sat bigint not null,
    script integer not null,
    position integer not null,
    drawn boolean not null,
    block bytea not null,
    primary key (block, position)
);
create index payout_script on payout (script);

-- What payout proofs of a block are made from.
create table block_window (
    block bytea primary key,
    content bytea not null
);

-- How far each recording or node has been loaded.
create table source (
    source bytea not null,
    position bigint not null,
    digest bytea not null,
    updated_at timestamptz not null default now(),
    primary key (source, digest)
);

-- The main chain.
create view main_link as
    select link.* from place join link on link.key = place.link;

-- The shares that each link lists, with their positions from 0.
create view listing as
    select link.key as link, link.height, link.time, position, substr(link.list, 32 * position + 1, 32) as share
    from link cross join lateral generate_series(0, octet_length(link.list) / 32 - 1) as position;

-- What each link credits each script.
create view credit as
    select link.key as link, link.height, link.time, credited.script, credited.proofs, credited.weight
    from link cross join lateral unnest(credit_scripts, credit_proofs, credit_weights)
        as credited (script, proofs, weight);

-- Gives the links of a tip's branch their places if it has more chain work than the main chain. Returns the height up to
-- which the places stayed; null if all did.
create function place_tip(tip bytea) returns integer language plpgsql as $$
declare
    tip_work numeric;
    tip_height integer;
    main_work numeric;
    fork integer;
begin
    -- One loader at a time, until its transaction ends.
    perform pg_advisory_xact_lock(hashtextextended('shoal.place', 0));
    select chain_work, height into tip_work, tip_height from link where key = share_key(tip);
    select chain_work into main_work from main_link order by height desc limit 1;
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
    delete from place where height > tip_height;
    perform pg_notify('shoal', json_build_object('height', tip_height, 'fork', fork)::text);
    return fork;
end
$$;

-- Pages and analysts read as this role: `grant shoal_reader to SOMEONE`.
do $$
begin
    create role shoal_reader nologin;
exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
        raise notice 'this user may not create roles: create shoal_reader yourself, as specs/archive.md says';
end
$$;
do $$
begin
    if exists (select from pg_roles where rolname = 'shoal_reader') then
        execute format('grant usage on schema %I to shoal_reader', current_schema());
        execute format('grant select on all tables in schema %I to shoal_reader', current_schema());
    end if;
end
$$;
