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
