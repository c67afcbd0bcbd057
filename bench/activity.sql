-- name: seed_orders
-- Every second person bought once to five times this year, ids above all that the server draws.
insert into orders (
    account_id, order_id, external_order_id, owner_id, status, total_cost, currency, ordered_at,
    created_at, updated_at
)
select %(account_id)s, 10::bigint ^ 12 + c * 5 + n, 'seed-' || c || '-' || n, c,
       case when (c + n) %% 10 = 0 then 3 else 2 end, 10 + (c * 7 + n * 13) %% 990, 'UAH',
       %(at)s - make_interval(hours => ((c * 31 + n * 97) %% 4300)::integer), %(at)s, %(at)s
from generate_series(2, %(contacts)s::bigint, 2) c, generate_series(0, (c / 2) %% 5) n

-- name: seed_totals
-- What those orders come to.
insert into order_totals (
    account_id, owner_id, currency, orders, delivered, delivered_sum, first_delivered, last_delivered
)
select account_id, owner_id, currency, count(*), count(*) filter (where status = 2),
       coalesce(sum(total_cost) filter (where status = 2), 0),
       min(ordered_at) filter (where status = 2), max(ordered_at) filter (where status = 2)
from orders
where account_id = %(account_id)s
group by account_id, owner_id, currency

-- name: seed_events
-- Three events and two product views a person, in the last half year.
insert into event (account_id, owner_id, kind, source, type_key, key_value, occurred, received, params)
select %(account_id)s, c, (n > 2)::integer, 0,
       case when n > 2 then 'ProductPage' when n = 2 then 'wishlist' else 'login' end,
       case when n > 2 then 'SKU-' || c %% 1000 else '' end,
       %(at)s - make_interval(mins => ((c * 7919 + n * 104729) %% 260000)::integer), %(at)s,
       jsonb_build_object('price', (c * 3 + n) %% 500)
from generate_series(1, %(contacts)s::bigint) c, generate_series(1, 5) n
