-- name: find_orders
-- Orders by the ids that shops gave them; index orders_by_external_id. The card that an order belongs to
-- is locked, and every change of the order writes it: so the order itself need not be. A range of one
-- value: with an equality every index that begins with the account looks as good as this one while the
-- table has no statistics, and the plan is kept while it grows.
select o.order_id, o.external_order_id, o.owner_id, o.via, o.status, o.total_cost, o.currency,
       o.ordered_at, o.created_at, o.updated_at, o.external_customer_id, o.email, o.phone,
       o.first_name, o.last_name, o.shipping, o.discount, o.taxes, o.restore_url,
       o.status_description, o.store_id, o.source, o.delivery_method, o.payment_method,
       o.delivery_address, o.additional, o.items_hash
from unnest(%(keys)s::text[]) as k (external_order_id)
cross join lateral (
    select *
    from orders
    where account_id = %(account_id)s
      and external_order_id between k.external_order_id and k.external_order_id
    order by external_order_id
    limit 1
) o

-- name: order_ids_of
-- Ids of all orders of persons who are to be erased; index orders_by_owner.
select p.contact_id, o.external_order_id
from owners_of(%(account_id)s::integer, %(keys)s::bigint[]) p
cross join lateral (
    select external_order_id
    from orders
    where account_id = %(account_id)s
      and owner_id = p.owner_id
    order by ordered_at desc, order_id desc
) o

-- name: insert_orders
-- New orders. No `on conflict`: 23505 says that somebody was quicker, and the batch runs again.
insert into orders (
    account_id, order_id, external_order_id, owner_id, via, status, total_cost, currency, ordered_at,
    created_at, updated_at, external_customer_id, email, phone, first_name, last_name, shipping,
    discount, taxes, restore_url, status_description, store_id, source, delivery_method,
    payment_method, delivery_address, additional, items_hash
)
select %(account_id)s::integer, order_id, external_order_id, owner_id, via, status, total_cost, currency,
       ordered_at, created_at, updated_at, external_customer_id, email, phone, first_name, last_name,
       shipping, discount, taxes, restore_url, status_description, store_id, source, delivery_method,
       payment_method, delivery_address, additional::jsonb, items_hash
from (
    select unnest(%(order_id)s::bigint[]) as order_id,
           unnest(%(external_order_id)s::text[]) as external_order_id,
           unnest(%(owner_id)s::bigint[]) as owner_id, unnest(%(via)s::bigint[]) as via,
           unnest(%(status)s::smallint[]) as status, unnest(%(total_cost)s::numeric[]) as total_cost,
           unnest(%(currency)s::text[]) as currency,
           unnest(%(ordered_at)s::timestamptz[]) as ordered_at,
           unnest(%(created_at)s::timestamptz[]) as created_at,
           unnest(%(updated_at)s::timestamptz[]) as updated_at,
           unnest(%(external_customer_id)s::text[]) as external_customer_id,
           unnest(%(email)s::text[]) as email, unnest(%(phone)s::text[]) as phone,
           unnest(%(first_name)s::text[]) as first_name, unnest(%(last_name)s::text[]) as last_name,
           unnest(%(shipping)s::numeric[]) as shipping, unnest(%(discount)s::numeric[]) as discount,
           unnest(%(taxes)s::numeric[]) as taxes, unnest(%(restore_url)s::text[]) as restore_url,
           unnest(%(status_description)s::text[]) as status_description,
           unnest(%(store_id)s::text[]) as store_id, unnest(%(source)s::text[]) as source,
           unnest(%(delivery_method)s::text[]) as delivery_method,
           unnest(%(payment_method)s::text[]) as payment_method,
           unnest(%(delivery_address)s::text[]) as delivery_address,
           unnest(%(additional)s::text[]) as additional, unnest(%(items_hash)s::bigint[]) as items_hash
) d

-- name: update_orders
-- Changed orders, whole; primary key. Owner, carrier and birth never change. The ids are named twice, so
-- that no more than these rows are read whichever way the planner joins.
update orders o
set status = d.status, total_cost = d.total_cost, currency = d.currency, ordered_at = d.ordered_at,
    updated_at = d.updated_at, external_customer_id = d.external_customer_id, email = d.email,
    phone = d.phone, first_name = d.first_name, last_name = d.last_name, shipping = d.shipping,
    discount = d.discount, taxes = d.taxes, restore_url = d.restore_url,
    status_description = d.status_description, store_id = d.store_id, source = d.source,
    delivery_method = d.delivery_method, payment_method = d.payment_method,
    delivery_address = d.delivery_address, additional = d.additional::jsonb, items_hash = d.items_hash
from unnest(
    %(order_id)s::bigint[], %(status)s::smallint[], %(total_cost)s::numeric[], %(currency)s::text[],
    %(ordered_at)s::timestamptz[], %(updated_at)s::timestamptz[], %(external_customer_id)s::text[],
    %(email)s::text[], %(phone)s::text[], %(first_name)s::text[], %(last_name)s::text[],
    %(shipping)s::numeric[], %(discount)s::numeric[], %(taxes)s::numeric[], %(restore_url)s::text[],
    %(status_description)s::text[], %(store_id)s::text[], %(source)s::text[],
    %(delivery_method)s::text[], %(payment_method)s::text[], %(delivery_address)s::text[],
    %(additional)s::text[], %(items_hash)s::bigint[]
) as d (
    order_id, status, total_cost, currency, ordered_at, updated_at, external_customer_id, email, phone,
    first_name, last_name, shipping, discount, taxes, restore_url, status_description, store_id, source,
    delivery_method, payment_method, delivery_address, additional, items_hash
)
where o.account_id = %(account_id)s
  and o.order_id = d.order_id
  and o.order_id = any(%(order_id)s::bigint[])

-- name: delete_orders
-- Orders that the shop takes back, each looked up by its key, as in find_orders.
delete from orders
where ctid = any(array(
    select o.ctid
    from unnest(%(order_id)s::bigint[]) as d (order_id)
    cross join lateral (
        select ctid
        from orders
        where account_id = %(account_id)s
          and order_id between d.order_id and d.order_id
        order by order_id
        limit 1
    ) o
))

-- name: delete_items
-- Items that others take the place of, or whose order is deleted; primary key.
delete from order_item
where account_id = %(account_id)s
  and order_id = any(%(order_id)s::bigint[])

-- name: insert_items
-- Items of new orders, and those that took the place of others.
insert into order_item (
    account_id, order_id, position, external_item_id, quantity, name, category, cost, url, image_url,
    description
)
select %(account_id)s::integer, order_id, position, external_item_id, quantity, name, category, cost, url,
       image_url, description
from (
    select unnest(%(order_id)s::bigint[]) as order_id, unnest(%(position)s::integer[]) as position,
           unnest(%(external_item_id)s::text[]) as external_item_id,
           unnest(%(quantity)s::numeric[]) as quantity, unnest(%(name)s::text[]) as name,
           unnest(%(category)s::text[]) as category, unnest(%(cost)s::numeric[]) as cost,
           unnest(%(url)s::text[]) as url, unnest(%(image_url)s::text[]) as image_url,
           unnest(%(description)s::text[]) as description
) d

-- name: note_orders
-- That these orders were written or deleted in this transaction: exports read on from it.
insert into change (account_id, at, order_ids)
values (%(account_id)s, %(at)s, %(order_id)s::bigint[])

-- name: add_to_totals
-- What this batch adds to the totals of each owner, or takes away. Primary key.
insert into order_totals (
    account_id, owner_id, currency, orders, delivered, delivered_sum, first_delivered, last_delivered
)
select %(account_id)s::integer, owner_id, currency, orders, delivered, delivered_sum, first, last
from (
    select unnest(%(owner_id)s::bigint[]) as owner_id, unnest(%(currency)s::text[]) as currency,
           unnest(%(orders)s::integer[]) as orders, unnest(%(delivered)s::integer[]) as delivered,
           unnest(%(delivered_sum)s::numeric[]) as delivered_sum,
           unnest(%(first)s::timestamptz[]) as first, unnest(%(last)s::timestamptz[]) as last
) d
on conflict (account_id, owner_id, currency)
do update set
    orders = order_totals.orders + excluded.orders,
    delivered = order_totals.delivered + excluded.delivered,
    delivered_sum = order_totals.delivered_sum + excluded.delivered_sum,
    first_delivered = least(order_totals.first_delivered, excluded.first_delivered),
    last_delivered = greatest(order_totals.last_delivered, excluded.last_delivered)

-- name: look_up_dates
-- First and last delivered order of owners who lost one, or one of whose changed its date; behind the
-- orders themselves. Index orders_delivered: by ranges of one value, see find_orders.
update order_totals t
set first_delivered = f.ordered_at, last_delivered = l.ordered_at
from unnest(%(owner_id)s::bigint[], %(currency)s::text[]) as d (owner_id, currency)
left join lateral (
    select ordered_at
    from orders
    where account_id = %(account_id)s
      and owner_id between d.owner_id and d.owner_id
      and currency between d.currency and d.currency
      and status = 2
    order by owner_id, currency, ordered_at
    limit 1
) f on true
left join lateral (
    select ordered_at
    from orders
    where account_id = %(account_id)s
      and owner_id between d.owner_id and d.owner_id
      and currency between d.currency and d.currency
      and status = 2
    order by owner_id desc, currency desc, ordered_at desc
    limit 1
) l on true
where t.account_id = %(account_id)s
  and t.owner_id = d.owner_id
  and t.currency = d.currency
  and t.owner_id = any(%(owner_id)s::bigint[])

-- name: drop_empty_totals
-- Owners whose last order went; primary key.
delete from order_totals
where account_id = %(account_id)s
  and owner_id = any(%(owner_id)s::bigint[])
  and orders = 0

-- name: forget_external_id
-- A former External ID that was erased alone leaves the orders of its contact; index orders_by_owner.
update orders o
set external_customer_id = null
from unnest(%(contact_id)s::bigint[], %(value)s::text[]) as d (contact_id, value)
cross join lateral owners_of(%(account_id)s::integer, array[d.contact_id]) p
cross join lateral (
    select order_id, external_customer_id
    from orders
    where account_id = %(account_id)s
      and owner_id = p.owner_id
    order by ordered_at desc, order_id desc
) n
where o.account_id = %(account_id)s
  and o.order_id = n.order_id
  and n.external_customer_id = d.value
