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

-- name: lock_known
-- Live contacts that these External IDs name, each one person: nothing was merged into them. Locked in id
-- order as by lock_cards, each looked up by a range of one value as in update_contacts; primary keys.
select p.value_key, p.contact_id, p.former
from (
    select i.value_key, i.contact_id, i.former
    from unnest(%(keys)s::text[]) as k (value_key)
    cross join lateral (
        select value_key, contact_id, former
        from identifier
        where account_id = %(account_id)s
          and kind = 1
          and value_key = k.value_key
        order by ordinal
        limit 1
    ) i
    order by i.contact_id
) p
cross join lateral (
    select contact_id
    from contact
    where account_id = %(account_id)s
      and contact_id between p.contact_id and p.contact_id
      and status = 0
      and merges = 0
    order by contact_id
    limit 1
    for update
) c

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
       nextval('span_id'), k.contact_id, 1, k.rule, %(at)s::timestamptz, %(at)s::timestamptz
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
       %(account_id)s::integer, k.kind, k.value_key, '-infinity'::timestamptz, nextval('span_id'),
       nullif(k.former, 0), case when k.former = 0 then 2 else 1 end, 'given', %(at)s::timestamptz,
       %(at)s::timestamptz
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
-- Spans of those who have these identifiers now, or of nobody: open for the next, or of contact 0, the
-- quarantine: for ever nobody's. `place` counts the changes of one identifier in this batch. Primary key.
insert into visitor_span (
    account_id, kind, value_key, since, owner_id, contact_id, state, rule, linked_at, created_at
)
select %(account_id)s::integer, k.kind, k.value_key,
       greatest(k.since, s.since + k.place * interval '1 microsecond'), nextval('span_id'),
       nullif(k.contact_id, 0), case when k.contact_id is null then 0 when k.contact_id = 0 then 2 else 1 end,
       case when k.contact_id <> 0 then k.rule end,
       case when k.contact_id <> 0 then %(at)s::timestamptz end, %(at)s::timestamptz
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
    from (
        select unnest(%(owner_id)s::bigint[]) as owner_id, unnest(%(kind)s::smallint[]) as kind,
               unnest(%(source)s::smallint[]) as source, unnest(%(type_key)s::text[]) as type_key,
               unnest(%(key_value)s::text[]) as key_value, unnest(%(occurred)s::timestamptz[]) as occurred,
               unnest(%(received)s::timestamptz[]) as received, unnest(%(via)s::bigint[]) as via,
               unnest(%(params)s::text[]) as params
    ) d
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
