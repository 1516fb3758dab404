-- Events of the logs of nodes that stream into this database; specs/archive.md says which. A node may use a number again, after a crash
-- of its machine or from a backup, but not in the same second.
create table event (
    time timestamptz not null,
    number bigint not null,
    node bytea not null,
    kind text not null,
    sentence text not null,
    page text,
    details jsonb not null,
    primary key (node, number, time)
);
create index event_time on event (time);

do $$
begin
    if exists (select from pg_roles where rolname = 'shoal_reader') then
        grant select on event to shoal_reader;
    end if;
end
$$;
