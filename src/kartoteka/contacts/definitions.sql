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
