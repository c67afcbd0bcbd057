-- The floor of POST orders: the rows that an order leaves (itself, its items, its event, its owner's
-- totals), staged by `copy` and inserted by one statement, a thousand orders a transaction.

-- name: make_orders_stage
-- On each connection, once. Temporary tables write no WAL and cost nothing to empty.
create temporary table order_stage (
    order_id bigint, external_order_id text, external_id text, email text, status smallint,
    total_cost numeric, currency text, ordered_at timestamptz, item_id text, item_name text,
    quantity numeric, cost numeric
) on commit delete rows

-- name: stage_orders
-- Lines, one an item; the order's own values stand in each.
copy order_stage from stdin (format csv)

-- name: insert_orders
-- The contact is found by External ID.
with found as materialized (
    select s.*, i.contact_id
    from order_stage s
    join identifier i
      on i.account_id = %(account_id)s::integer
     and i.kind = 1
     and i.value_key = s.external_id
     and i.ordinal = 0
), one as materialized (
    select distinct on (order_id) * from found order by order_id
), new_orders as (
    insert into orders (
        account_id, order_id, external_order_id, owner_id, status, total_cost, currency, ordered_at,
        created_at, updated_at, external_customer_id, email
    )
    select %(account_id)s::integer, order_id, external_order_id, contact_id, status, total_cost, currency,
           ordered_at, %(at)s, %(at)s, external_id, email
    from one
), new_events as (
    insert into event (account_id, owner_id, type_key, key_value, occurred, received, params)
    select %(account_id)s::integer, contact_id, 'orderDELIVERED', external_order_id, ordered_at, %(at)s,
           jsonb_build_object(
               'eventKey', external_order_id, 'orderId', order_id, 'contactId', contact_id,
               'EmailAddress', email, 'externalCustomerId', external_id, 'email', email
           )
    from one
), new_totals as (
    insert into order_totals (
        account_id, owner_id, currency, orders, delivered, delivered_sum, first_delivered, last_delivered
    )
    select %(account_id)s::integer, contact_id, currency, count(*), count(*), sum(total_cost),
           min(ordered_at), max(ordered_at)
    from one
    group by contact_id, currency
    order by contact_id
    on conflict (account_id, owner_id, currency) do update
    set orders = order_totals.orders + excluded.orders,
        delivered = order_totals.delivered + excluded.delivered,
        delivered_sum = order_totals.delivered_sum + excluded.delivered_sum,
        first_delivered = least(order_totals.first_delivered, excluded.first_delivered),
        last_delivered = greatest(order_totals.last_delivered, excluded.last_delivered)
)
insert into order_item (account_id, order_id, position, external_item_id, quantity, name, cost)
select %(account_id)s::integer, order_id, row_number() over (partition by order_id) - 1, item_id, quantity,
       item_name, cost
from found

-- name: count_orders
-- What of these orders is there, each once: orders, events, the sum, items.
select count(*), coalesce(sum(total_cost), 0),
       (select count(*) from event where account_id = %(account_id)s and key_value like %(prefix)s),
       (select count(*)
        from order_item i
        join orders o using (account_id, order_id)
        where o.account_id = %(account_id)s and o.external_order_id like %(prefix)s)
from orders
where account_id = %(account_id)s
  and external_order_id like %(prefix)s

-- name: count_wrong_totals
-- Owners whose totals are not what their orders say.
select count(*)
from (
    select owner_id, currency, count(*) as n, sum(total_cost) as s from orders
    where account_id = %(account_id)s
    group by owner_id, currency
) o
full join (select * from order_totals where account_id = %(account_id)s) t using (owner_id, currency)
where (o.n, o.s) is distinct from (t.delivered, t.delivered_sum)
