-- name: live_holders
-- Live cards that hold one of these values, with what decisions D10 ranks them by; primary keys.
select
    i.kind,
    c.contact_id,
    c.external_id is not null or c.former_ids > 0,
    c.updated_at
from unnest(%(kinds)s::smallint[], %(values)s::text[]) as wanted (kind, value_key)
join identifier i
    on i.account_id = %(account_id)s
    and i.kind = wanted.kind
    and i.value_key = wanted.value_key
join contact c
    on c.account_id = %(account_id)s
    and c.contact_id = i.contact_id
where c.status = 0
