-- The floor of bulk calls and files: rows of ten columns, staged by `copy`, put on their cards by one
-- statement. bench/upsert.py runs it, several thousand rows a transaction; `python -m bench.variants`
-- compares its forms.

-- name: make_stage
-- On each connection, once. Temporary tables write no WAL and cost nothing to empty.
create temporary table stage (
    external_id text, email text, phone text, first_name text, last_name text, town text, region text,
    postcode text, language_code text, contact_key text
) on commit delete rows

-- name: stage
-- Lines of the file as they are.
copy stage from stdin (format csv)

-- name: upsert
-- Cards are found by External ID alone; a known card is written where it differs, a new one gets its
-- number as its id; identifiers that are not there yet are inserted. `on conflict do update` instead of
-- `not exists` would also lock rows that stay as they are, and is slower; see variants.md.
with found as materialized (
    select s.*, i.contact_id as known, coalesce(i.contact_id, substr(s.external_id, 5)::bigint) as contact_id
    from stage s
    left join identifier i
      on i.account_id = %(account_id)s::integer
     and i.kind = 1
     and i.value_key = s.external_id
     and i.ordinal = 0
), updated as (
    update contact c
    set version = c.version + 1, updated_at = %(at)s, email = f.email, phone = f.phone,
        first_name = f.first_name, last_name = f.last_name, town = f.town, region = f.region,
        postcode = f.postcode, language_code = f.language_code, contact_key = f.contact_key
    from found f
    where f.known is not null
      and c.account_id = %(account_id)s::integer
      and c.contact_id = f.known
      and (c.email, c.phone, c.first_name, c.last_name, c.town, c.region, c.postcode, c.language_code,
           c.contact_key)
          is distinct from
          (f.email, f.phone, f.first_name, f.last_name, f.town, f.region, f.postcode, f.language_code,
           f.contact_key)
), inserted as (
    insert into contact (
        account_id, contact_id, external_id, email, phone, first_name, last_name, town, region, postcode,
        language_code, contact_key, consent, source, created_at, updated_at
    )
    select %(account_id)s::integer, contact_id, external_id, email, phone, first_name, last_name, town,
           region, postcode, language_code, contact_key, '{"email": 1}', 'IMPORT', %(at)s, %(at)s
    from found
    where known is null
)
insert into identifier (account_id, kind, value_key, contact_id, since, rule)
select %(account_id)s::integer, k.kind, k.value, f.contact_id, %(at)s, 'given'
from found f
cross join lateral (values (1, f.external_id), (2, f.email), (3, f.phone)) k (kind, value)
where f.known is null
   or not exists (
       select
       from identifier o
       where o.account_id = %(account_id)s::integer
         and o.kind = k.kind
         and o.value_key = k.value
         and o.ordinal = 0
   )
order by k.kind, k.value
