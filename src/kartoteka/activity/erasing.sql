-- name: forget_value_in_events
-- A former External ID that was erased alone leaves the events of its contact: as what they are about, and
-- as a value of a parameter, however deep, also as a number or within a text of JSON. Index event_by_owner.
with d as (
    select v.*, p.owner_id
    from unnest(
        %(contact_id)s::bigint[], %(value)s::text[], %(spelled)s::text[], %(as_text)s::text[],
        %(in_text)s::text[], %(as_number)s::text[]
    ) as v (contact_id, value, spelled, as_text, in_text, as_number)
    cross join lateral owners_of(%(account_id)s::integer, array[v.contact_id]) p
),
forgotten as (
    update event e
    set key_value = case when e.key_value = d.value then '' else e.key_value end,
        params = regexp_replace(
            regexp_replace(
                regexp_replace(e.params::text, d.as_text, 'null', 'g'), d.in_text, %(blank)s, 'g'
            ),
            d.as_number, 'null', 'g'
        )::jsonb
    from d
    where e.account_id = %(account_id)s
      and e.owner_id = any(array(select owner_id from d))
      and e.owner_id = d.owner_id
      and (
          e.key_value = d.value
          or strpos(e.params::text, d.spelled) > 0
          or e.params::text ~ d.in_text
      )
    returning e.event_id, e.occurred
)
insert into change (account_id, at, event_ids, event_times)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(event_id), array_agg(occurred)
from forgotten
having count(*) > 0

-- name: queue_erased
-- Owners whose activity goes (D29): erased cards, those merged into them, their spans, and what was
-- nobody's of identifiers that no other card has now.
insert into erasing (account_id, owner_id)
with theirs as (
    select owner_id from owners_of(%(account_id)s::integer, %(ids)s::bigint[])
),
keys as (
    select kind, value_key
    from visitor_span
    where account_id = %(account_id)s
      and owner_id = any(array(select owner_id from theirs))
    union
    select * from unnest(%(kind)s::smallint[], %(value_key)s::text[])
),
alone as (
    select k.kind, k.value_key
    from keys k
    where not is_held(%(account_id)s::integer, k.kind, k.value_key)
)
select %(account_id)s::integer, owner_id from theirs
union
select %(account_id)s::integer, s.owner_id
from alone a
cross join lateral (
    select *
    from visitor_span
    where account_id = %(account_id)s
      and kind = a.kind
      and value_key = a.value_key
    order by since
) s
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
  and i.contact_id = any(array(select -owner_id from erasing where account_id = %(account_id)s))
  and i.contact_id = -s.owner_id

-- name: erase_named_beside
-- What claims that go named beside an erased person's values, such as an address that was replaced: what
-- waits for it is dropped where it owns nothing and no other claim names it. Indexes of claim, event_by_owner.
with gone as (
    select distinct c.kind, c.value_key, c.external_key, c.email, c.phone
    from unnest(%(kind)s::smallint[], %(value_key)s::text[]) as g (kind, value_key)
    cross join lateral (
        select * from claim
        where account_id = %(account_id)s and kind = g.kind and value_key = g.value_key
        union all
        select * from claims_naming(%(account_id)s::integer, g.kind, g.value_key)
    ) c
),
named as (
    select distinct n.kind, n.value_key
    from gone
    cross join lateral (values (1::smallint, external_key), (2::smallint, email), (3::smallint, phone)) as n (kind, value_key)
    where n.value_key is not null
),
idle as (
    select s.kind, s.value_key, s.owner_id
    from named n
    cross join lateral (
        select *
        from visitor_span
        where account_id = %(account_id)s
          and kind = n.kind
          and value_key = n.value_key
        order by since
    ) s
    where s.contact_id is null
      and not exists (
          select from event where account_id = %(account_id)s and owner_id = s.owner_id offset 0
      )
      and not exists (
          select from orders where account_id = %(account_id)s and owner_id = s.owner_id offset 0
      )
      and not exists (
          select from claims_naming(%(account_id)s::integer, n.kind, n.value_key) c
          where not exists (select from gone where kind = c.kind and value_key = c.value_key)
          offset 0
      )
),
stubs as (
    delete from identifier i
    using idle d
    where i.account_id = %(account_id)s
      and i.kind = d.kind
      and i.value_key = d.value_key
      and i.contact_id = any(array(select -owner_id from idle))
      and i.contact_id = -d.owner_id
)
delete from visitor_span s
using idle d
where s.account_id = %(account_id)s
  and s.owner_id = any(array(select owner_id from idle))
  and s.kind = d.kind
  and s.value_key = d.value_key
  and s.owner_id = d.owner_id

-- name: erase_claims
-- Claims by and about erased persons; primary key and indexes of claim.
with gone as (
    select w.kind, w.value_key
    from unnest(%(kind)s::smallint[], %(value_key)s::text[]) as g (kind, value_key)
    cross join lateral (
        select kind, value_key from claim
        where account_id = %(account_id)s and kind = g.kind and value_key = g.value_key
        union all
        select kind, value_key from claims_naming(%(account_id)s::integer, g.kind, g.value_key)
    ) w
)
delete from claim c
using gone d
where c.account_id = %(account_id)s
  and c.kind = any(array(select kind from gone))
  and c.value_key = any(array(select value_key from gone))
  and c.kind = d.kind
  and c.value_key = d.value_key

-- name: keep_spans_of_others
-- What an identifier carried for others stays theirs; where no card has it now, its value goes (kind 0
-- is no identifier: the span is known by its owner only).
update visitor_span s
set kind = 0, value_key = s.owner_id::text, since = '-infinity'
from (
    select distinct s.kind, s.value_key
    from visitor_span s
    where s.account_id = %(account_id)s
      and s.owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))
      and s.kind + 0 > 0
      and not is_held(%(account_id)s::integer, s.kind, s.value_key)
) k
cross join lateral (
    select ctid
    from visitor_span
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
      and owner_id not in (select owner_id from erasing where account_id = %(account_id)s)
    order by since  -- so that each is looked up by its key, in a young table too
) o
where s.account_id = %(account_id)s
  and s.ctid = o.ctid

-- name: release_spans
-- Spans of erased persons on identifiers that others have now: the stretch stays, nobody's.
update visitor_span s
set contact_id = null, state = 2, rule = null
where s.account_id = %(account_id)s
  and s.owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))
  and is_held(%(account_id)s::integer, s.kind, s.value_key)

-- name: erase_spans
-- All other spans of erased persons; index visitor_span_by_owner.
delete from visitor_span s
where s.account_id = %(account_id)s
  and s.owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))
  and not is_held(%(account_id)s::integer, s.kind, s.value_key)

-- name: erase_events
-- Events and visits of erased persons; index event_by_owner.
delete from event
where account_id = %(account_id)s
  and owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))

-- name: note_erased_orders
-- For exports: orders of erased persons are about to go; index orders_by_owner.
insert into change (account_id, at, order_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(order_id)
from orders
where account_id = %(account_id)s
  and owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))
having count(*) > 0

-- name: erase_order_items
-- Items of orders of erased persons; index orders_by_owner.
delete from order_item
where account_id = %(account_id)s
  and order_id = any(array(
      select order_id
      from orders
      where account_id = %(account_id)s
        and owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))
  ))

-- name: erase_orders
-- Orders of erased persons; index orders_by_owner.
delete from orders
where account_id = %(account_id)s
  and owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))

-- name: erase_totals
-- Totals of erased persons; primary key.
delete from order_totals
where account_id = %(account_id)s
  and owner_id = any(array(select owner_id from erasing where account_id = %(account_id)s))

-- name: erasing
-- Owners whose activity is being destroyed.
select owner_id from erasing where account_id = %(account_id)s

-- name: erased
-- These owners have nothing left.
delete from erasing where account_id = %(account_id)s and owner_id = any(%(owners)s::bigint[])

-- name: accounts_erasing
-- Accounts with owners whose activity is being destroyed.
select distinct account_id from erasing
