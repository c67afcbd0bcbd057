-- name: timeline
-- What belongs to a contact, newest first, before a moment and its place among equals: orders, then
-- events and visits by their ids. A few index ranges for each owner: event_by_owner in the partitions
-- between the two moments, orders_by_owner. What a claim linked has its rule: a visitor's, or that of an
-- app's anonymous card which came with its device (identity_history_by_contact).
with owners as materialized (
    select o.owner_id, coalesce(s.rule, m.rule) as rule
    from owners_of(%(account_id)s::integer, array[%(contact_id)s::bigint]) o
    left join lateral (
        select rule
        from visitor_span
        where account_id = %(account_id)s
          and owner_id = o.owner_id
        limit 1
    ) s on true
    left join lateral (
        select contact_id, merged_into
        from contact
        where account_id = %(account_id)s
          and contact_id between o.owner_id and o.owner_id
          and merged_into is not null
        order by contact_id  -- so that it is looked up by its own id, in a young table too
        limit 1
    ) x on true
    left join lateral (
        select 'claim' as rule
        from identity_history h
        where h.account_id = %(account_id)s
          and h.contact_id = x.merged_into
          and h.other_contact_id = x.contact_id
          and h.rule = 'absorbed_by_claim'
        limit 1
    ) m on true
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

-- name: timeline_size
-- How many items a timeline has: counted in the indexes event_by_owner and orders_by_owner.
with owners as materialized (
    select o.owner_id from owners_of(%(account_id)s::integer, array[%(contact_id)s::bigint]) o
)
select coalesce(sum(found.items), 0)::bigint
from owners o
cross join lateral (
    select count(*) as items
    from event
    where account_id = %(account_id)s::integer
      and owner_id = o.owner_id
      and kind = any (%(kinds)s::smallint[])
    union all
    select count(*)
    from orders
    where %(orders)s::boolean
      and account_id = %(account_id)s::integer
      and owner_id = o.owner_id
) found
