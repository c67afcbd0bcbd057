-- name: shadow_contacts
-- Cards as a dry run would leave them. Temporary objects hide tables of their name on this connection
-- only, so the engine's own statements read what would stand there; made before the view of that name.
create temp table contact_rehearsed (like contact including indexes)

-- name: shadow_identifiers
-- Identifiers as a dry run would leave them; rule `gone` is one that would not be there.
create temp table identifier_rehearsed (
    like identifier,
    primary key (account_id, kind, value_key, ordinal)
)

-- name: index_identifiers
-- Not by account: without statistics the planner would take such an index for look-ups by value too.
create index on identifier_rehearsed (contact_id)

-- name: show_contacts
-- What would stand in table contact. A sub-select rather than `not exists`: without statistics the
-- planner joins by the account alone, and compares every card with every other.
create temp view contact as
select * from contact_rehearsed
union all
select *
from contact c
where (
    select r.contact_id
    from contact_rehearsed r
    where r.account_id = c.account_id
      and r.contact_id = c.contact_id
) is null

-- name: show_identifiers
-- What would stand in table identifier.
create temp view identifier as
select * from identifier_rehearsed where rule <> 'gone'
union all
select *
from identifier i
where (
    select r.contact_id
    from identifier_rehearsed r
    where r.account_id = i.account_id
      and r.kind = i.kind
      and r.value_key = i.value_key
      and r.ordinal = i.ordinal
) is null

-- name: forget_rehearsed_contacts
-- Make room for cards as they would stand now.
delete from contact_rehearsed where account_id = %(account_id)s and contact_id = any(%(ids)s::bigint[])

-- name: rehearse_contacts
-- Cards that a batch would change or make.
insert into contact_rehearsed (
    account_id, contact_id, status, version, external_id, former_ids, email, phone, first_name, last_name,
    contact_key, language_code, time_zone, region, town, address, postcode, fields, consent, source,
    keyed, created_at, updated_at, removed_at, merged_into, merges, last_word, proof
)
select %(account_id)s::integer, contact_id, status, 1, external_id, former_ids, email, phone, first_name, last_name,
       contact_key, language_code, time_zone, region, town, address, postcode, fields::jsonb,
       consent::jsonb, source, keyed, created_at, updated_at, removed_at, merged_into, merges, last_word,
       proof::jsonb
from unnest(
    %(contact_id)s::bigint[], %(status)s::smallint[], %(external_id)s::text[], %(former_ids)s::integer[],
    %(email)s::text[], %(phone)s::text[], %(first_name)s::text[], %(last_name)s::text[],
    %(contact_key)s::text[], %(language_code)s::text[], %(time_zone)s::text[], %(region)s::text[],
    %(town)s::text[], %(address)s::text[], %(postcode)s::text[], %(fields)s::text[], %(consent)s::text[],
    %(source)s::text[], %(keyed)s::boolean[], %(created_at)s::timestamptz[], %(updated_at)s::timestamptz[],
    %(removed_at)s::timestamptz[], %(merged_into)s::bigint[], %(merges)s::integer[],
    %(last_word)s::bigint[], %(proof)s::text[]
) as d (
    contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
    language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed, created_at,
    updated_at, removed_at, merged_into, merges, last_word, proof
)

-- name: forget_rehearsed_identifiers
-- Make room for identifiers as they would stand now: each looked up by its key, one by one.
delete from identifier_rehearsed
where ctid = any(array(
    select r.ctid
    from unnest(%(kind)s::smallint[], %(value_key)s::text[], %(ordinal)s::integer[]) as d (kind, value_key, ordinal)
    cross join lateral (
        select ctid
        from identifier_rehearsed
        where account_id = %(account_id)s
          and kind = d.kind
          and value_key = d.value_key
          and ordinal = d.ordinal
        limit 1
    ) r
))

-- name: rehearse_identifiers
-- Identifiers that a batch would add, change or take away.
insert into identifier_rehearsed (
    account_id, kind, value_key, ordinal, contact_id, long_value, former, since, rule, app, device,
    attributes, senders, home
)
select %(account_id)s::integer, kind, value_key, ordinal, contact_id, long_value, former, since, rule, app, device,
       attributes::jsonb, senders::integer[], home
from unnest(
    %(kind)s::smallint[], %(value_key)s::text[], %(ordinal)s::integer[], %(contact_id)s::bigint[],
    %(long_value)s::text[], %(former)s::boolean[], %(since)s::timestamptz[], %(rule)s::text[],
    %(app)s::text[], %(device)s::text[], %(attributes)s::text[], %(senders)s::text[], %(home)s::bigint[]
) as d (
    kind, value_key, ordinal, contact_id, long_value, former, since, rule, app, device, attributes, senders,
    home
)
