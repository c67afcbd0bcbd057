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

-- name: count_shared_addresses
-- How many such pairs there are; the same index, whole.
select count(*)
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

-- name: look_alikes
-- Pairs that look alike and that nobody told apart, the likeliest first; index duplicate_by_score. `others`:
-- without those of the list above.
select d.contact_id, d.other_id, d.score, d.fields
from duplicate d
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = d.contact_id
    limit 1
) x
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = d.other_id
    limit 1
) y
where d.account_id = %(account_id)s
  and x.status = 0
  and y.status = 0
  and d.score >= %(score)s
  and not (%(others)s and coalesce(x.email = y.email or x.phone = y.phone, false))
  and not exists (
      select from apart a
      where a.account_id = %(account_id)s
        and a.contact_id = d.contact_id
        and a.other_id = d.other_id
  )
order by d.score desc, d.contact_id, d.other_id
limit %(rows)s
offset %(skip)s

-- name: count_look_alikes
-- How many such pairs there are.
select count(*)
from duplicate d
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = d.contact_id
    limit 1
) x
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = d.other_id
    limit 1
) y
where d.account_id = %(account_id)s
  and x.status = 0
  and y.status = 0
  and d.score >= %(score)s
  and not (%(others)s and coalesce(x.email = y.email or x.phone = y.phone, false))
  and not exists (
      select from apart a
      where a.account_id = %(account_id)s
        and a.contact_id = d.contact_id
        and a.other_id = d.other_id
  )

-- name: likeness_of
-- How alike these pairs are, of those that a search found; primary key.
select d.contact_id, d.other_id, d.score, d.fields
from unnest(%(ones)s::bigint[], %(others)s::bigint[]) as p (contact_id, other_id)
join duplicate d
  on d.account_id = %(account_id)s
 and d.contact_id = p.contact_id
 and d.other_id = p.other_id

-- name: told_apart
-- Pairs of live contacts that somebody told apart, the latest first; primary keys. People do this one by
-- one, so there are few.
select a.contact_id, a.other_id, a.at, a.reason, a.request_id
from apart a
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = a.contact_id
    limit 1
) x
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = a.other_id
    limit 1
) y
where a.account_id = %(account_id)s
  and x.status = 0
  and y.status = 0
order by a.at desc, a.contact_id, a.other_id
limit %(rows)s
offset %(skip)s

-- name: count_told_apart
-- How many such pairs there are.
select count(*)
from apart a
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = a.contact_id
    limit 1
) x
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = a.other_id
    limit 1
) y
where a.account_id = %(account_id)s
  and x.status = 0
  and y.status = 0

-- name: records
-- What is compared of live contacts, by id; primary key.
select contact_id, first_name, last_name, email, phone, town, address, postcode,
       coalesce(fields ->> %(born)s::text, '')
from contact
where account_id = %(account_id)s
  and status = 0
  and contact_id > %(after)s
order by contact_id
limit 5000

-- name: is_small
-- Whether there are so few live contacts that a search takes a moment.
select count(*) <= %(most)s
from (
    select 1
    from contact
    where account_id = %(account_id)s
      and status = 0
    limit %(most)s + 1
) c

-- name: birthday_field
-- The custom field that holds the birthday.
select field_id
from field_definition
where account_id = %(account_id)s
  and type = 'DATE'
  and upper(key) like '%%BIRTH%%'
order by field_id
limit 1

-- name: count_records
-- How many contacts a search will read.
select count(*)
from contact
where account_id = %(account_id)s
  and status = 0

-- name: records_of
-- The same as `records`, of these contacts; primary key.
select contact_id, first_name, last_name, email, phone, town, address, postcode,
       coalesce(fields ->> %(born)s::text, '')
from contact
where account_id = %(account_id)s
  and status = 0
  and contact_id = any(%(ids)s::bigint[])

-- name: keep_duplicates
-- Pairs that look alike: new ones, and what is known of the others.
insert into duplicate (account_id, contact_id, other_id, score, fields, found_at)
select %(account_id)s::integer, contact_id, other_id, score, fields::jsonb, %(at)s::timestamptz
from unnest(%(contact_id)s::bigint[], %(other_id)s::bigint[], %(score)s::real[], %(fields)s::text[])
    as d (contact_id, other_id, score, fields)
on conflict (account_id, contact_id, other_id) do update
set score = excluded.score, fields = excluded.fields, found_at = excluded.found_at

-- name: forget_older
-- Pairs that this search did not find again.
delete from duplicate
where account_id = %(account_id)s
  and found_at < %(at)s

-- name: search_state
-- The last search of an account; primary key.
select asked_at, started_at, finished_at, stage, done, total, contacts, found
from duplicate_search
where account_id = %(account_id)s

-- name: ask_for_search
-- Somebody wants to know; the next free worker looks.
insert into duplicate_search (account_id, asked_at)
values (%(account_id)s, %(at)s)
on conflict (account_id) do update
set asked_at = excluded.asked_at

-- name: searches_to_do
-- Accounts for which a search was asked for that is not finished, also one that a kill ended.
select account_id
from duplicate_search
where finished_at is null
   or finished_at < asked_at
order by asked_at

-- name: written_since
-- Whether anything was written to a contact since then.
select 1
from contact
where account_id = %(account_id)s
  and updated_at >= %(since)s
limit 1

-- name: begin_search
-- A search begins, asked for or not.
insert into duplicate_search (account_id, asked_at, started_at)
values (%(account_id)s, %(at)s, %(at)s)
on conflict (account_id) do update
set asked_at = case
        when duplicate_search.finished_at < duplicate_search.asked_at
             or duplicate_search.finished_at is null
        then least(duplicate_search.asked_at, excluded.asked_at)
        else excluded.asked_at
    end,
    started_at = excluded.started_at,
    finished_at = null,
    stage = '',
    done = 0,
    total = 0

-- name: tell_search
-- How far it is.
update duplicate_search
set stage = %(stage)s, done = %(done)s, total = %(total)s
where account_id = %(account_id)s

-- name: finish_search
-- What it came to.
update duplicate_search
set finished_at = %(at)s, contacts = %(contacts)s, found = %(found)s, stage = ''
where account_id = %(account_id)s

-- name: quarantine
-- Values that stand on too many people (D6), with how many senders are known; primary key.
select kind, coalesce(long_value, value_key), since, cardinality(senders), rule
from identifier
where account_id = %(account_id)s
  and contact_id = 0
order by since desc, kind, value_key
limit %(rows)s
offset %(skip)s

-- name: count_quarantine
-- How many such values there are.
select count(*)
from identifier
where account_id = %(account_id)s
  and contact_id = 0
