-- name: find_spans
-- Spans of these identifiers, the earliest first; primary key. `since` is null at the beginning of time.
-- Locked, so that what is written into a span while another transaction ends it is written again on
-- fresh data (40001).
select s.kind, s.value_key, nullif(s.since, '-infinity'), s.owner_id, s.contact_id, s.state, s.created_at,
       s.events
from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, value_key)
cross join lateral (
    select *
    from visitor_span
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    order by since
    for no key update
) s

-- name: read_spans
-- The same without a lock, for a dry run.
select s.kind, s.value_key, nullif(s.since, '-infinity'), s.owner_id, s.contact_id, s.state, s.created_at,
       s.events
from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, value_key)
cross join lateral (
    select *
    from visitor_span
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    order by since
) s

-- name: find_event_types
-- What the account says of these types; primary key.
select t.key, t.segmentation, t.segmentation_since, t.required_params
from unnest(%(keys)s::text[]) as k (key)
cross join lateral (
    select *
    from event_type
    where account_id = %(account_id)s
      and key = k.key
    limit 1
) t

-- name: find_messages
-- Which of these messages came already; primary key.
select m.digest
from unnest(%(digests)s::bytea[]) as k (digest)
cross join lateral (
    select *
    from message_seen
    where account_id = %(account_id)s
      and digest = k.digest
    limit 1
) m

-- name: insert_spans
-- New spans. No `on conflict`: 23505 says that somebody was quicker, and we run again.
insert into visitor_span (
    account_id, kind, value_key, since, owner_id, contact_id, state, linked_at, created_at
)
select %(account_id)s::integer, kind, value_key, coalesce(since, '-infinity'), owner_id, contact_id, state,
       case when contact_id is null then null else at end, at
from unnest(
    %(kind)s::smallint[], %(value_key)s::text[], %(since)s::timestamptz[], %(owner_id)s::bigint[],
    %(contact_id)s::bigint[], %(state)s::smallint[], %(at)s::timestamptz[]
) as d (kind, value_key, since, owner_id, contact_id, state, at)

-- name: link_open_spans
-- What waited for these identifiers is the contact's that got them; of kinds other than the cookie only
-- what waits no longer than 30 days (D17). The spans that are nobody's are touched, so that a visit
-- which is written into one of them now sees the next. Primary key.
with linked as (
    update visitor_span s
    set contact_id = case when theirs then d.contact_id end,
        state = case when theirs then 1 when s.state = 0 then 2 else s.state end,
        rule = case when theirs then d.rule else s.rule end,
        linked_at = case when theirs then %(at)s::timestamptz else s.linked_at end
    from (
        select k.contact_id, k.rule, s.kind, s.value_key, s.since,
               s.state = 0 and (k.kind = 8 or s.created_at >= %(recent)s::timestamptz) as theirs
        from unnest(
            %(kind)s::smallint[], %(value_key)s::text[], %(contact_id)s::bigint[], %(rule)s::text[]
        ) as k (kind, value_key, contact_id, rule)
        cross join lateral (
            select *
            from visitor_span
            where account_id = %(account_id)s
              and kind = k.kind
              and value_key = k.value_key
            order by since  -- so that each is looked up by its key, in a young table too
        ) s
        where s.contact_id is null
    ) d
    where s.account_id = %(account_id)s
      and s.kind = d.kind
      and s.value_key = d.value_key
      and s.since = d.since
    returning s.owner_id, s.contact_id
)
insert into change (account_id, at, owner_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(owner_id)
from linked
where contact_id is not null
having count(*) > 0

-- name: take_recent_events
-- Of what waits for longer than 30 days, what came in the last 30: the one time that rows get another
-- owner, since only they are the contact's. Runs before link_open_spans; indexes visitor_span (primary
-- key) and event_by_owner.
with taken as (
    update event e
    set owner_id = d.contact_id
    from (
        select k.contact_id, s.owner_id
        from unnest(%(kind)s::smallint[], %(value_key)s::text[], %(contact_id)s::bigint[])
            as k (kind, value_key, contact_id)
        cross join lateral (
            select *
            from visitor_span
            where account_id = %(account_id)s
              and kind = k.kind
              and value_key = k.value_key
              and state = 0
              and created_at < %(recent)s::timestamptz
        ) s
        where k.kind <> 8
    ) d
    where e.account_id = %(account_id)s
      and e.owner_id = d.owner_id
      and e.received >= %(recent)s::timestamptz
    returning e.event_id, e.occurred
)
insert into change (account_id, at, event_ids, event_times)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(event_id), array_agg(occurred)
from taken
having count(*) > 0

-- name: continue_spans
-- Identifiers whose last span is another's or nobody's, and which a contact has now: what follows is the
-- contact's. Primary key.
insert into visitor_span (
    account_id, kind, value_key, since, owner_id, contact_id, state, rule, linked_at, created_at
)
select %(account_id)s::integer, k.kind, k.value_key, greatest(k.since, s.since + interval '1 microsecond'),
       nextval('contact_id_block'), k.contact_id, 1, k.rule, %(at)s::timestamptz, %(at)s::timestamptz
from unnest(
    %(kind)s::smallint[], %(value_key)s::text[], %(contact_id)s::bigint[], %(since)s::timestamptz[],
    %(rule)s::text[]
) as k (kind, value_key, contact_id, since, rule)
cross join lateral (
    select *
    from visitor_span
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    order by since desc
    limit 1
) s
where s.contact_id is distinct from k.contact_id

-- name: begin_spans_of_former
-- Identifiers that change hands and were with one contact so far: what comes late of that time is its.
insert into visitor_span (
    account_id, kind, value_key, since, owner_id, contact_id, state, rule, linked_at, created_at
)
select distinct on (k.kind, k.value_key)
       %(account_id)s::integer, k.kind, k.value_key, '-infinity'::timestamptz, nextval('contact_id_block'),
       k.former, 1, 'given', %(at)s::timestamptz, %(at)s::timestamptz
from unnest(%(kind)s::smallint[], %(value_key)s::text[], %(former)s::bigint[], %(place)s::integer[])
    as k (kind, value_key, former, place)
where not exists (
    select from visitor_span
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
)
order by k.kind, k.value_key, k.place

-- name: touch_spans
-- Spans that end now: a visit that is written into one of them at this moment is written again.
update visitor_span s
set state = s.state
from unnest(%(kind)s::smallint[], %(value_key)s::text[]) as k (kind, value_key)
where s.account_id = %(account_id)s
  and s.kind = k.kind
  and s.value_key = k.value_key

-- name: follow_identifiers
-- Spans of those who have these identifiers now, or of nobody: open for the next. `place` counts the
-- changes of one identifier in this batch. Primary key.
insert into visitor_span (
    account_id, kind, value_key, since, owner_id, contact_id, state, rule, linked_at, created_at
)
select %(account_id)s::integer, k.kind, k.value_key,
       greatest(k.since, s.since + k.place * interval '1 microsecond'), nextval('contact_id_block'),
       k.contact_id, case when k.contact_id is null then 0 else 1 end,
       case when k.contact_id is null then null else k.rule end,
       case when k.contact_id is null then null else %(at)s::timestamptz end, %(at)s::timestamptz
from unnest(
    %(kind)s::smallint[], %(value_key)s::text[], %(contact_id)s::bigint[], %(since)s::timestamptz[],
    %(place)s::integer[], %(rule)s::text[]
) as k (kind, value_key, contact_id, since, place, rule)
cross join lateral (
    select *
    from visitor_span
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    order by since desc
    limit 1
) s

-- name: count_events
-- How many events spans have that are nobody's; index visitor_span_by_owner, as in update_contacts.
update visitor_span s
set events = s.events + d.number
from (
    select owner_id, count(*)::integer as number from unnest(%(owner_id)s::bigint[]) as d (owner_id) group by owner_id
) d
cross join lateral (
    select ctid
    from visitor_span
    where account_id = %(account_id)s
      and owner_id between d.owner_id and d.owner_id
    order by owner_id
) l
where s.account_id = %(account_id)s
  and s.ctid = l.ctid

-- name: insert_happened
-- Events and visits, each with the owner that it keeps for ever; noted for exports, whosever they are:
-- somebody may be found to be their visitor at this very moment.
with written as (
    insert into event (
        account_id, owner_id, kind, source, type_key, key_value, occurred, received, via, params
    )
    select %(account_id)s::integer, owner_id, kind, source, type_key, key_value, occurred, received, via,
           params::jsonb
    from unnest(
        %(owner_id)s::bigint[], %(kind)s::smallint[], %(source)s::smallint[], %(type_key)s::text[],
        %(key_value)s::text[], %(occurred)s::timestamptz[], %(received)s::timestamptz[], %(via)s::bigint[],
        %(params)s::text[]
    ) as d (owner_id, kind, source, type_key, key_value, occurred, received, via, params)
    returning event_id, occurred
)
insert into change (account_id, at, event_ids, event_times)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(event_id), array_agg(occurred)
from written

-- name: create_event_types
-- Types that are named and do not exist yet (wire 6.1).
insert into event_type (account_id, key, created_at)
select distinct %(account_id)s::integer, key, %(at)s::timestamptz
from unnest(%(key)s::text[]) as d (key)
on conflict (account_id, key) do nothing

-- name: remember_messages
-- Messages that came. No `on conflict`: 23505 says that it came twice at once, and we run again.
insert into message_seen (account_id, digest, at)
select %(account_id)s::integer, digest, %(at)s::timestamptz
from unnest(%(digest)s::bytea[]) as d (digest)

-- name: forget_span_values
-- These values leave the spans that they began; primary key. Kind 0 is no identifier.
update visitor_span s
set kind = 0, value_key = s.owner_id::text, since = '-infinity'
from unnest(%(kind)s::smallint[], %(value_key)s::text[]) as k (kind, value_key)
where s.account_id = %(account_id)s
  and s.kind = k.kind
  and s.value_key = k.value_key

-- name: forget_value_in_events
-- A former External ID that was erased alone leaves the events of its contact: as what they are about, and
-- as a value of a parameter, however deep, also as a number or within a text of JSON. Index event_by_owner.
update event e
set key_value = case when e.key_value = d.value then '' else e.key_value end,
    params = regexp_replace(
        regexp_replace(
            regexp_replace(e.params::text, d.as_text, 'null', 'g'), d.in_text, %(blank)s, 'g'
        ),
        d.as_number, 'null', 'g'
    )::jsonb
from (
    select v.*, p.owner_id
    from unnest(
        %(contact_id)s::bigint[], %(value)s::text[], %(spelled)s::text[], %(as_text)s::text[],
        %(in_text)s::text[], %(as_number)s::text[]
    ) as v (contact_id, value, spelled, as_text, in_text, as_number)
    cross join lateral owners_of(%(account_id)s::integer, array[v.contact_id]) p
) d
where e.account_id = %(account_id)s
  and e.owner_id = d.owner_id
  and (
      e.key_value = d.value
      or strpos(e.params::text, d.spelled) > 0
      or e.params::text ~ d.in_text
  )

-- name: queue_erased
-- Owners whose activity goes (D29): erased cards, those merged into them, their spans, and what was
-- nobody's of identifiers that no other card has now.
insert into erasing (account_id, owner_id)
with theirs as (
    select owner_id from owners_of(%(account_id)s::integer, %(ids)s::bigint[])
),
keys as (
    select s.kind, s.value_key
    from theirs t
    join visitor_span s on s.account_id = %(account_id)s and s.owner_id = t.owner_id
    union
    select * from unnest(%(kind)s::smallint[], %(value_key)s::text[])
),
alone as (
    select k.kind, k.value_key
    from keys k
    where not exists (
        select from identifier
        where account_id = %(account_id)s
          and kind = k.kind
          and value_key = k.value_key
          and contact_id > 0
    )
)
select %(account_id)s::integer, owner_id from theirs
union
select %(account_id)s::integer, s.owner_id
from alone a
join visitor_span s on s.account_id = %(account_id)s and s.kind = a.kind and s.value_key = a.value_key
where s.contact_id is null
on conflict (account_id, owner_id) do nothing

-- name: erase_stubs
-- What waited for identifiers that were an erased person's alone.
delete from identifier i
using erasing g
join visitor_span s on s.account_id = %(account_id)s and s.owner_id = g.owner_id
where g.account_id = %(account_id)s
  and i.account_id = %(account_id)s
  and i.kind = s.kind
  and i.value_key = s.value_key
  and i.contact_id = -s.owner_id

-- name: erase_claims
-- Claims by and about erased persons; primary key and indexes of claim.
delete from claim c
using unnest(%(kind)s::smallint[], %(value_key)s::text[], %(value)s::text[]) as g (kind, value_key, value)
where c.account_id = %(account_id)s
  and (
      c.kind = g.kind and c.value_key = g.value_key
      or g.kind = 1 and c.external_key = g.value_key
      or g.kind = 2 and c.email = g.value
      or g.kind = 3 and c.phone = g.value
  )

-- name: keep_spans_of_others
-- What an identifier carried for others stays theirs; where no card has it now, its value goes (kind 0
-- is no identifier: the span is known by its owner only).
update visitor_span s
set kind = 0, value_key = s.owner_id::text, since = '-infinity'
from (
    select distinct s.kind, s.value_key
    from erasing g
    join visitor_span s on s.account_id = %(account_id)s and s.owner_id = g.owner_id
    where g.account_id = %(account_id)s
      and s.kind > 0
      and not exists (
          select from identifier
          where account_id = %(account_id)s
            and kind = s.kind
            and value_key = s.value_key
            and contact_id > 0
      )
) k
where s.account_id = %(account_id)s
  and s.kind = k.kind
  and s.value_key = k.value_key
  and s.owner_id not in (select owner_id from erasing where account_id = %(account_id)s)

-- name: release_spans
-- Spans of erased persons on identifiers that others have now: the stretch stays, nobody's.
update visitor_span s
set contact_id = null, state = 2, rule = null
from erasing g
where g.account_id = %(account_id)s
  and s.account_id = %(account_id)s
  and s.owner_id = g.owner_id
  and exists (
      select from identifier
      where account_id = %(account_id)s
        and kind = s.kind
        and value_key = s.value_key
        and contact_id > 0
  )

-- name: erase_spans
-- All other spans of erased persons; index visitor_span_by_owner.
delete from visitor_span s
using erasing g
where g.account_id = %(account_id)s
  and s.account_id = %(account_id)s
  and s.owner_id = g.owner_id
  and not exists (
      select from identifier
      where account_id = %(account_id)s
        and kind = s.kind
        and value_key = s.value_key
        and contact_id > 0
  )

-- name: erase_events
-- Events and visits of erased persons; index event_by_owner.
delete from event
where account_id = %(account_id)s
  and owner_id in (select owner_id from erasing where account_id = %(account_id)s)

-- name: note_erased_orders
-- For exports: orders of erased persons are about to go; index orders_by_owner.
insert into change (account_id, at, order_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(order_id)
from orders
where account_id = %(account_id)s
  and owner_id in (select owner_id from erasing where account_id = %(account_id)s)
having count(*) > 0

-- name: erase_order_items
-- Items of orders of erased persons; index orders_by_owner.
delete from order_item i
using orders o
where o.account_id = %(account_id)s
  and o.owner_id in (select owner_id from erasing where account_id = %(account_id)s)
  and i.account_id = %(account_id)s
  and i.order_id = o.order_id

-- name: erase_orders
-- Orders of erased persons; index orders_by_owner.
delete from orders
where account_id = %(account_id)s
  and owner_id in (select owner_id from erasing where account_id = %(account_id)s)

-- name: erase_totals
-- Totals of erased persons; primary key.
delete from order_totals
where account_id = %(account_id)s
  and owner_id in (select owner_id from erasing where account_id = %(account_id)s)

-- name: erasing
-- Owners whose activity is being destroyed.
select owner_id from erasing where account_id = %(account_id)s

-- name: erased
-- These owners have nothing left.
delete from erasing where account_id = %(account_id)s and owner_id = any(%(owners)s::bigint[])

-- name: list_event_types
-- One page of the account's event types, by key; primary key.
select key, segmentation, segmentation_since, required_params
from event_type
where account_id = %(account_id)s
order by key
limit %(rows)s
offset %(skip)s

-- name: count_event_types
-- How many event types the account has; primary key.
select count(*) from event_type where account_id = %(account_id)s

-- name: lock_event_types
-- Until the transaction ends one call changes event types of the account.
select pg_advisory_xact_lock(%(family)s::integer, %(number)s::integer)

-- name: count_segmented
-- Other types with segmentation on.
select count(*)
from event_type
where account_id = %(account_id)s
  and segmentation
  and key <> %(key)s

-- name: change_event_type
-- Make or change a type; what is not given stays.
insert into event_type as t (account_id, key, segmentation, segmentation_since, required_params, created_at)
values (
    %(account_id)s, %(key)s, coalesce(%(segmentation)s::boolean, false),
    case when %(segmentation)s::boolean then %(at)s::timestamptz end,
    nullif(%(required_params)s::jsonb, '[]'), %(at)s
)
on conflict (account_id, key) do update
set segmentation = coalesce(%(segmentation)s::boolean, t.segmentation),
    segmentation_since = case
        when %(segmentation)s::boolean and t.segmentation then t.segmentation_since
        when %(segmentation)s::boolean then %(at)s::timestamptz
        when not %(segmentation)s::boolean then null
        else t.segmentation_since
    end,
    required_params = case
        when %(required_params)s::jsonb is null then t.required_params
        else nullif(%(required_params)s::jsonb, '[]')
    end
returning key, segmentation, segmentation_since, required_params

-- name: timeline
-- What belongs to a contact, newest first, before a moment and its place among equals: orders, then
-- events and visits by their ids. A few index ranges for each owner: event_by_owner in the partitions
-- between the two moments, orders_by_owner.
with owners as materialized (
    select o.owner_id, s.rule
    from owners_of(%(account_id)s::integer, array[%(contact_id)s::bigint]) o
    left join visitor_span s on s.account_id = %(account_id)s and s.owner_id = o.owner_id
)
select item.*
from (
    select 0 as rank, e.event_id as id, e.kind, e.source, e.type_key as key, e.key_value, e.occurred,
           e.received, e.params, o.rule
    from owners o
    cross join unnest(%(kinds)s::smallint[]) as k (kind)
    cross join lateral (
        select *
        from event
        where account_id = %(account_id)s
          and owner_id = o.owner_id
          and kind = k.kind
          and occurred >= %(since)s::timestamptz
          and occurred <= %(before)s::timestamptz
          and (occurred, event_id) < (%(before)s::timestamptz, %(before_event)s::bigint)
        order by occurred desc, event_id desc
        limit %(rows)s
    ) e
    union all
    select 1 as rank, r.order_id as id, 2, 0, r.external_order_id, '', r.ordered_at, r.created_at,
           jsonb_strip_nulls(jsonb_build_object(
               'status', r.status, 'totalCost', r.total_cost, 'currency', r.currency,
               'statusDescription', r.status_description, 'storeId', r.store_id, 'source', r.source
           )), o.rule
    from owners o
    cross join lateral (
        select *
        from orders
        where %(orders)s::boolean
          and account_id = %(account_id)s
          and owner_id = o.owner_id
          and ordered_at >= %(since)s::timestamptz
          and ordered_at <= %(before)s::timestamptz
          and (ordered_at, order_id) < (%(before)s::timestamptz, %(before_order)s::bigint)
        order by ordered_at desc, order_id desc
        limit %(rows)s
    ) r
) item
order by item.occurred desc, item.rank desc, item.id desc
limit %(rows)s

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

-- name: accounts_erasing
-- Accounts with owners whose activity is being destroyed.
select distinct account_id from erasing
