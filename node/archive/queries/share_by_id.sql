-- A share by its id, and the link of the main chain that lists it. Here: a share of the newest link's list.
with wanted as (select substr(list, 1, 32) as id from main_link where octet_length(list) > 0 order by height desc limit 1)
select encode(share.id, 'hex') as id, share.height, share.time, share.weight, encode(link.id, 'hex') as listed_by
from wanted join share on share.key = share_key(wanted.id)
left join lateral (
    select main_link.id from main_link
    where main_link.height between share.height and share.height + (select listing_depth from pool)
        and exists (
            select from generate_series(0, octet_length(main_link.list) / 32 - 1) as position
            where substr(main_link.list, 32 * position + 1, 32) = share.id
        )
    order by main_link.height limit 1
) as link on true
