-- name: field_definitions
-- The custom fields that an account defines, in the order of their ids; primary key.
select
    field_id,
    list_key,
    list_name,
    key,
    name,
    type,
    possible_values,
    min_value,
    max_value,
    required,
    readonly,
    recurring
from field_definition
where account_id = %(account_id)s
order by field_id

-- name: insert_field
-- A new custom field; no row when its list has one of that key.
insert into field_definition (
    account_id, list_key, list_name, key, name, type, possible_values, min_value, max_value, required,
    readonly, recurring
)
values (
    %(account_id)s, %(list_key)s, %(list_name)s, %(key)s, %(name)s, %(type)s,
    %(possible_values)s::text[], %(min_value)s, %(max_value)s, %(required)s, %(readonly)s, %(recurring)s
)
on conflict (account_id, list_key, key) do nothing
returning field_id

-- name: update_field
-- What may change about a field: not its place and not its type; primary key.
update field_definition
set name = %(name)s, possible_values = %(possible_values)s::text[], min_value = %(min_value)s,
    max_value = %(max_value)s, required = %(required)s, readonly = %(readonly)s, recurring = %(recurring)s
where account_id = %(account_id)s
  and field_id = %(field_id)s
returning field_id

-- name: delete_field
-- Take a field away; values that contacts have of it are not shown any more. Ids are never used again.
delete from field_definition
where account_id = %(account_id)s
  and field_id = %(field_id)s
returning field_id
