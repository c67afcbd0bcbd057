-- name: orders_of
-- A page of a contact's orders, newest first: its own and those of the cards that were merged into it;
-- index orders_by_owner.
select o.order_id, o.external_order_id, o.owner_id, o.via, o.status, o.total_cost, o.currency,
       o.ordered_at, o.created_at, o.updated_at, o.external_customer_id, o.email, o.phone,
       o.first_name, o.last_name, o.shipping, o.discount, o.taxes, o.restore_url,
       o.status_description, o.store_id, o.source, o.delivery_method, o.payment_method,
       o.delivery_address, o.additional, o.items_hash
from owners_of(%(account_id)s::integer, array[%(contact_id)s::bigint]) p
cross join lateral (
    select *
    from orders
    where account_id = %(account_id)s
      and owner_id = p.owner_id
    order by ordered_at desc, order_id desc
    limit %(skip)s::bigint + %(rows)s::bigint
) o
order by o.ordered_at desc, o.order_id desc
offset %(skip)s
limit %(rows)s

-- name: items_of
-- Items of these orders; primary key.
select order_id, external_item_id, quantity, name, category, cost, url, image_url, description
from order_item
where account_id = %(account_id)s
  and order_id = any(%(order_ids)s::bigint[])
order by order_id, position

-- name: totals_of
-- What a contact's orders come to, a row for each currency; primary key.
select t.currency, sum(t.orders), sum(t.delivered), sum(t.delivered_sum), min(t.first_delivered),
       max(t.last_delivered)
from owners_of(%(account_id)s::integer, array[%(contact_id)s::bigint]) p
cross join lateral (
    select *
    from order_totals
    where account_id = %(account_id)s
      and owner_id = p.owner_id
    order by owner_id  -- so that each is looked up by its key, in a young table too
) t
group by t.currency
having sum(t.orders) > 0
order by sum(t.delivered) desc, sum(t.orders) desc, t.currency
