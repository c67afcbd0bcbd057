-- name: shared_addresses
-- Pairs of live contacts with the same e-mail or phone that nobody told apart, by address; the first
-- twenty of each. Index identifier_shared, whose order it is: a page reads as far as it goes. Primary keys.
select a.kind, least(a.contact_id, b.contact_id), greatest(a.contact_id, b.contact_id)
from (
    select distinct kind, value_key
    from identifier
    where account_id = %(account_id)s
      and ordinal > 0
      and kind in (2, 3)
) shared
cross join lateral (
    select kind, value_key, contact_id, ordinal
    from identifier
    where account_id = %(account_id)s and kind = shared.kind and value_key = shared.value_key
    order by ordinal
    limit 20
) a
cross join lateral (
    select contact_id, ordinal
    from identifier
    where account_id = %(account_id)s and kind = shared.kind and value_key = shared.value_key
      and ordinal > a.ordinal
    order by ordinal
    limit 20
) b
join contact x on x.account_id = %(account_id)s and x.contact_id = a.contact_id and x.status = 0
join contact y on y.account_id = %(account_id)s and y.contact_id = b.contact_id and y.status = 0
where a.contact_id > 0
  and b.contact_id > 0
  and not exists (
      select from apart
      where account_id = %(account_id)s
        and contact_id = least(a.contact_id, b.contact_id)
        and other_id = greatest(a.contact_id, b.contact_id)
  )
order by shared.kind, shared.value_key, a.ordinal, b.ordinal
limit %(rows)s
offset %(skip)s

-- name: look_alikes
-- Pairs that look alike and that nobody told apart, the likeliest first; index duplicate_by_score.
select d.contact_id, d.other_id, d.score, d.fields
from duplicate d
join contact x on x.account_id = %(account_id)s and x.contact_id = d.contact_id and x.status = 0
join contact y on y.account_id = %(account_id)s and y.contact_id = d.other_id and y.status = 0
where d.account_id = %(account_id)s
  and d.score >= %(score)s
  and not exists (
      select from apart a
      where a.account_id = %(account_id)s
        and a.contact_id = d.contact_id
        and a.other_id = d.other_id
  )
order by d.score desc, d.contact_id, d.other_id
limit %(rows)s
offset %(skip)s

-- name: told_apart
-- Pairs of live contacts that somebody told apart, the latest first; primary keys. People do this one by
-- one, so there are few.
select a.contact_id, a.other_id, a.at, a.reason, a.request_id
from apart a
join contact x on x.account_id = %(account_id)s and x.contact_id = a.contact_id and x.status = 0
join contact y on y.account_id = %(account_id)s and y.contact_id = a.other_id and y.status = 0
where a.account_id = %(account_id)s
order by a.at desc, a.contact_id, a.other_id
limit %(rows)s
offset %(skip)s

-- name: records
-- What is compared of live contacts, by id; primary key.
select contact_id, first_name, last_name, email, phone, town, address, postcode,
       coalesce(fields ->> %(born)s::text, '')
from contact
where account_id = %(account_id)s
  and status = 0
  and contact_id > %(after)s
order by contact_id
limit 20000

-- name: birthday_field
-- The custom field that holds the birthday.
select field_id
from field_definition
where account_id = %(account_id)s
  and type = 'DATE'
  and upper(key) like '%%BIRTH%%'
order by field_id
limit 1

-- name: forget_duplicates
-- Make room for what is found now.
delete from duplicate where account_id = %(account_id)s

-- name: insert_duplicates
-- Pairs that look alike.
insert into duplicate (account_id, contact_id, other_id, score, fields, found_at)
select %(account_id)s::integer, contact_id, other_id, score, fields::jsonb, %(at)s::timestamptz
from unnest(%(contact_id)s::bigint[], %(other_id)s::bigint[], %(score)s::real[], %(fields)s::text[])
    as d (contact_id, other_id, score, fields)

-- name: quarantine
-- Values that stand on too many people (D6), with how many senders are known; primary key.
select kind, coalesce(long_value, value_key), since, cardinality(senders), rule
from identifier
where account_id = %(account_id)s
  and contact_id = 0
order by since desc, kind, value_key
limit %(rows)s
offset %(skip)s
