-- name: snapshot_members
-- A part of a version onto a list, by contact id; primary keys. Row: last contact id.
with part as materialized (
    select contact_id
    from segment_match
    where account_id = %(account_id)s
      and version_id = %(version_id)s
      and contact_id > %(after)s
    order by contact_id
    limit 10000
), put as (
    insert into segment_member (account_id, segment_id, contact_id, since)
    select %(account_id)s::integer, %(segment_id)s::integer, contact_id, %(at)s::timestamptz
    from part
    on conflict (account_id, segment_id, contact_id) do nothing
), noted as (
    insert into change (account_id, at, contact_ids)
    select %(account_id)s::integer, %(at)s::timestamptz, array_agg(contact_id)
    from part
    having count(*) > 0
)
select max(contact_id) from part

-- name: matches_after
-- The next contacts of a version; primary key.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and contact_id > %(after)s
order by contact_id
limit %(rows)s

-- name: live_members_after
-- The next live contacts of a list; primary keys.
select m.contact_id
from segment_member m
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = m.contact_id
where m.account_id = %(account_id)s
  and m.segment_id = %(segment_id)s
  and m.contact_id > %(after)s
  and c.status = 0
order by m.contact_id
limit %(rows)s

-- name: segments_to_leave
-- Segments that are being deleted, of all accounts.
select account_id, segment_id, version_id, type
from segment
where leaving is not null
