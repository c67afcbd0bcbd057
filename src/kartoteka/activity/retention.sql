-- name: delete_past_events
-- Some of what was sent as past events and happened between these moments, noted for exports; primary
-- key. How many they were.
with gone as (
    delete from event e
    using (
        select occurred, event_id
        from event
        where account_id = %(account_id)s
          and occurred >= %(since)s::timestamptz
          and occurred < %(until)s::timestamptz
          and source = %(source)s
        limit %(rows)s
    ) few
    where e.account_id = %(account_id)s
      and e.occurred = few.occurred
      and e.event_id = few.event_id
    returning e.event_id, e.occurred
),
noted as (
    insert into change (account_id, at, event_ids, event_times)
    select %(account_id)s::integer, %(at)s::timestamptz, array_agg(event_id), array_agg(occurred)
    from gone
    having count(*) > 0
)
select count(*) from gone

-- name: delete_old_events
-- Some events and visits that happened before a moment; primary key.
delete from event e
using (
    select occurred, event_id
    from event
    where account_id = %(account_id)s
      and occurred < %(until)s::timestamptz
    limit %(rows)s
) gone
where e.account_id = %(account_id)s
  and e.occurred = gone.occurred
  and e.event_id = gone.event_id

-- name: delete_old_of_nobody
-- Some events and visits before a moment that belong to nobody: owner 0, and spans without a contact;
-- index event_by_owner.
delete from event e
using (
    select v.occurred, v.event_id
    from (
        select 0::bigint as owner_id
        union all
        select owner_id
        from visitor_span
        where account_id = %(account_id)s
          and contact_id is null
          and created_at < %(until)s::timestamptz
    ) o
    cross join lateral (
        select occurred, event_id
        from event
        where account_id = %(account_id)s
          and owner_id = o.owner_id
          and occurred < %(until)s::timestamptz
        limit %(rows)s
    ) v
    limit %(rows)s
) gone
where e.account_id = %(account_id)s
  and e.occurred = gone.occurred
  and e.event_id = gone.event_id

-- name: old_spans
-- Some identifiers for which something waits since before a moment, and that have no event any more.
select s.kind, s.value_key, s.owner_id
from visitor_span s
where s.account_id = %(account_id)s
  and s.contact_id is null
  and s.created_at < %(until)s::timestamptz
  and (s.state = 0 or not exists (
      select from visitor_span o
      where o.account_id = %(account_id)s
        and o.kind = s.kind
        and o.value_key = s.value_key
        and o.owner_id <> s.owner_id
  ))
  and not exists (select from event where account_id = %(account_id)s and owner_id = s.owner_id)
limit %(rows)s

-- name: forget_stubs
-- Stubs of spans that end for good.
delete from identifier i
using unnest(%(kind)s::smallint[], %(value_key)s::text[], %(owner_id)s::bigint[]) as d (kind, value_key, owner_id)
where i.account_id = %(account_id)s
  and i.kind = d.kind
  and i.value_key = d.value_key
  and i.contact_id = -d.owner_id

-- name: forget_spans
-- Spans that nothing happened in, of identifiers that nobody else's history needs; primary key.
delete from visitor_span s
using unnest(%(kind)s::smallint[], %(value_key)s::text[], %(owner_id)s::bigint[]) as d (kind, value_key, owner_id)
where s.account_id = %(account_id)s
  and s.kind = d.kind
  and s.value_key = d.value_key
  and s.owner_id = d.owner_id
  and s.contact_id is null
  and not exists (select from event where account_id = %(account_id)s and owner_id = d.owner_id)

-- name: forget_messages
-- Messages that can no longer be repeated; index message_seen_by_age.
delete from message_seen
where account_id = %(account_id)s
  and at < %(until)s::timestamptz
