-- name: cards
-- Whole cards by contact id or by External ID (former ones too), with push tokens and static lists.
-- Primary keys of contact and identifier, identifier_by_contact, segment_member_by_contact.
with asked as (
    select contact_id, null::text as value_key
    from unnest(%(ids)s::bigint[]) as by_id (contact_id)
    union all
    select i.contact_id, i.value_key
    from unnest(%(external_ids)s::text[]) as by_external_id (value_key)
    join identifier i
      on i.account_id = %(account_id)s
     and i.kind = 1
     and i.value_key = by_external_id.value_key
     and i.ordinal = 0
)
select
    a.value_key,
    c.contact_id,
    c.status,
    c.merged_into,
    c.first_name,
    c.last_name,
    c.email,
    c.phone,
    c.region,
    c.town,
    c.address,
    c.postcode,
    c.fields,
    c.external_id,
    c.contact_key,
    c.language_code,
    c.time_zone,
    c.consent,
    tokens.list,
    lists.list
from asked a
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = a.contact_id
    limit 1
) c
left join lateral (
    select jsonb_agg(
        jsonb_build_array(i.kind, coalesce(i.long_value, i.value_key), i.app, i.attributes)
        order by i.since, i.kind, i.value_key
    ) as list
    from identifier i
    where i.account_id = %(account_id)s
      and i.contact_id = c.contact_id
      and i.kind in (4, 5)
) tokens on true
left join lateral (
    select jsonb_agg(jsonb_build_array(s.segment_id, s.name, s.type) order by s.segment_id) as list
    from segment_member m
    join segment s
      on s.account_id = %(account_id)s
     and s.segment_id = m.segment_id
    where m.account_id = %(account_id)s
      and m.contact_id = c.contact_id
      and s.type = 'Static'
) lists on true

-- name: find_by_channel
-- Live contacts that hold the one e-mail or phone, and the other values if given, newest update
-- first; primary key of identifier, then of contact.
select c.contact_id, count(*) over ()
from (
    select contact_id
    from identifier
    where account_id = %(account_id)s
      and kind = %(kind)s
      and value_key = %(value_key)s
    order by ordinal
) i
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = i.contact_id
    limit 1
) c
where c.status = 0
  and (%(phone)s::text is null or c.phone = %(phone)s)
  and (%(first_name)s::text is null or lower(c.first_name) = lower(%(first_name)s))
  and (%(last_name)s::text is null or lower(c.last_name) = lower(%(last_name)s))
order by c.updated_at desc, c.contact_id desc
limit %(rows)s
offset %(skip)s

-- name: find_by_first_name
-- Live contacts of that first name, newest update first; index contact_by_first_name.
select contact_id, count(*) over ()
from contact
where account_id = %(account_id)s
  and status = 0
  and lower(first_name) = lower(%(first_name)s::text)
order by updated_at desc, contact_id desc
limit %(rows)s
offset %(skip)s

-- name: find_by_last_name
-- Live contacts of that last name, and first name if given, newest update first; index
-- contact_by_last_name.
select contact_id, count(*) over ()
from contact
where account_id = %(account_id)s
  and status = 0
  and lower(last_name) = lower(%(last_name)s::text)
  and (%(first_name)s::text is null or lower(first_name) = lower(%(first_name)s))
order by updated_at desc, contact_id desc
limit %(rows)s
offset %(skip)s

-- name: list_by_update
-- One page of all live contacts, newest update first. Sorts the whole account: no index on
-- updated_at, see docs/decisions/listing-without-an-index.md.
select contact_id
from contact
where account_id = %(account_id)s
  and status = 0
order by updated_at desc, contact_id desc
limit %(rows)s
offset %(skip)s

-- name: list_by_id
-- One page of all live contacts by id; primary key.
select contact_id
from contact
where account_id = %(account_id)s
  and status = 0
order by contact_id
limit %(rows)s
offset %(skip)s

-- name: count_live
-- How many live contacts the account has: reads the whole account, as list_by_update does.
select count(*)
from contact
where account_id = %(account_id)s
  and status = 0
