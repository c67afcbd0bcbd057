-- name: browse
-- Ids of one page of live contacts that pass the filter, between two ids; primary key, walked in its
-- order. What is rare would make it walk for ever: hence the other end.
select c.contact_id
from contact c
where c.account_id = %(account_id)s
  and c.contact_id < %(before)s::bigint
  and c.contact_id > %(end)s::bigint
  and c.status = 0
  and (%(external_id)s::boolean is null or (c.external_id is not null) = %(external_id)s::boolean)
  and (%(source)s::text is null or c.source = %(source)s::text)
  and (%(since)s::timestamptz is null or c.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or c.created_at < %(until)s::timestamptz)
  and (%(email)s::boolean is not true or c.email is not null)
  and (%(phone)s::boolean is not true or c.phone is not null)
  and (%(channel)s::smallint is null or exists (
      select from identifier i
      where i.account_id = %(account_id)s and i.contact_id = c.contact_id and i.kind = %(channel)s::smallint
  ))
order by c.contact_id desc
limit %(rows)s

-- name: browse_back
-- The page before: the same the other way round.
select c.contact_id
from contact c
where c.account_id = %(account_id)s
  and c.contact_id > %(after)s::bigint
  and c.contact_id < %(end)s::bigint
  and c.status = 0
  and (%(external_id)s::boolean is null or (c.external_id is not null) = %(external_id)s::boolean)
  and (%(source)s::text is null or c.source = %(source)s::text)
  and (%(since)s::timestamptz is null or c.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or c.created_at < %(until)s::timestamptz)
  and (%(email)s::boolean is not true or c.email is not null)
  and (%(phone)s::boolean is not true or c.phone is not null)
  and (%(channel)s::smallint is null or exists (
      select from identifier i
      where i.account_id = %(account_id)s and i.contact_id = c.contact_id and i.kind = %(channel)s::smallint
  ))
order by c.contact_id
limit %(rows)s

-- name: walk_end
-- The id behind so many cards; primary key, the cards themselves are not read.
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id < %(before)s::bigint
order by contact_id desc
limit 1
offset %(most)s

-- name: walk_end_back
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id > %(after)s::bigint
order by contact_id
limit 1
offset %(most)s

-- name: browse_count
-- How many live contacts pass the filter: reads the whole account.
select count(*)
from contact c
where c.account_id = %(account_id)s
  and c.status = 0
  and (%(external_id)s::boolean is null or (c.external_id is not null) = %(external_id)s::boolean)
  and (%(source)s::text is null or c.source = %(source)s::text)
  and (%(since)s::timestamptz is null or c.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or c.created_at < %(until)s::timestamptz)
  and (%(email)s::boolean is not true or c.email is not null)
  and (%(phone)s::boolean is not true or c.phone is not null)
  and (%(channel)s::smallint is null or exists (
      select from identifier i
      where i.account_id = %(account_id)s and i.contact_id = c.contact_id and i.kind = %(channel)s::smallint
  ))

-- name: count_all_live
-- How many live contacts there are: all cards less those that are not live; primary key and index
-- contact_not_live, neither of which leads to the cards themselves.
select
    (select count(*) from contact where account_id = %(account_id)s)
    - (select count(*) from contact where account_id = %(account_id)s and status <> 0)

-- name: browse_live
-- One page of live contacts; primary key.
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id < %(before)s::bigint
  and status = 0
order by contact_id desc
limit %(rows)s

-- name: browse_live_back
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id > %(after)s::bigint
  and status = 0
order by contact_id
limit %(rows)s

-- name: browse_nameless
-- One page of live contacts without External ID; index contact_nameless.
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id < %(before)s::bigint
  and status = 0
  and external_id is null
order by contact_id desc
limit %(rows)s

-- name: browse_nameless_back
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id > %(after)s::bigint
  and status = 0
  and external_id is null
order by contact_id
limit %(rows)s

-- name: count_nameless
-- How many live contacts have no External ID (guide G15); index contact_nameless.
select count(*)
from contact
where account_id = %(account_id)s
  and status = 0
  and external_id is null

-- name: browse_removed
-- One page of removed contacts; index contact_not_live.
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id < %(before)s::bigint
  and status <> 0
  and status = 1
order by contact_id desc
limit %(rows)s

-- name: browse_removed_back
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id > %(after)s::bigint
  and status <> 0
  and status = 1
order by contact_id
limit %(rows)s

-- name: count_removed
select count(*)
from contact
where account_id = %(account_id)s
  and status <> 0
  and status = 1

-- name: search
-- Ids of contacts of that status that the driving word begins a value of, and every other word too:
-- names of live contacts (indexes contact_by_first_name, contact_by_last_name), External IDs, e-mails
-- and phones (primary key of identifier). Each source gives at most `most` candidates.
with found as (
    (select contact_id from contact
     where account_id = %(account_id)s and contact_id = %(id)s::bigint)
    union
    (select contact_id from contact
     where account_id = %(account_id)s and status = 0 and first_name is not null
       and lower(first_name) >= %(name)s::text and lower(first_name) < %(name)s::text || chr(1114111)
     limit %(most)s)
    union
    (select contact_id from contact
     where account_id = %(account_id)s and status = 0 and last_name is not null
       and lower(last_name) >= %(name)s::text and lower(last_name) < %(name)s::text || chr(1114111)
     limit %(most)s)
    union
    (select contact_id from identifier
     where account_id = %(account_id)s and kind = 1
       and value_key >= %(external_id)s::text and value_key < %(external_id)s::text || chr(1114111)
     limit %(most)s)
    union
    (select contact_id from identifier
     where account_id = %(account_id)s and kind = 2
       and value_key >= %(email_text)s::text and value_key < %(email_text)s::text || chr(1114111)
     limit %(most)s)
    union
    (select contact_id from identifier
     where account_id = %(account_id)s and kind = 3
       and value_key >= %(phone_text)s::text and value_key < %(phone_text)s::text || chr(1114111)
     limit %(most)s)
)
select c.contact_id, (select count(*) from found) >= %(most)s
from found f
cross join lateral (
    select *
    from contact
    where account_id = %(account_id)s
      and contact_id = f.contact_id
    limit 1  -- so that each is looked up by its key, however many may be found
) c
where c.status = %(status)s
  and (%(no_external_id)s::boolean is not true or c.external_id is null)
  and (%(source)s::text is null or c.source = %(source)s::text)
  and (%(since)s::timestamptz is null or c.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or c.created_at < %(until)s::timestamptz)
  and (%(email)s::boolean is not true or c.email is not null)
  and (%(phone)s::boolean is not true or c.phone is not null)
  and (%(channel)s::smallint is null or exists (
      select from identifier i
      where i.account_id = %(account_id)s and i.contact_id = c.contact_id and i.kind = %(channel)s::smallint
  ))
  and not exists (
      select from unnest(%(words)s::text[]) as w (word)
      where not (
          starts_with(coalesce(lower(c.first_name), ''), w.word)
          or starts_with(coalesce(lower(c.last_name), ''), w.word)
          or starts_with(coalesce(c.email, ''), w.word)
          or starts_with(coalesce(c.phone, ''), w.word)
          or starts_with(coalesce(lower(c.external_id), ''), w.word)
      )
  )
order by c.contact_id desc

-- name: rows
-- What a table shows of these contacts, with the kinds of identifier that each has; primary key and
-- index identifier_by_contact.
select
    c.contact_id, c.status, c.external_id, c.email, c.phone, c.first_name, c.last_name, c.source,
    c.created_at, c.updated_at, c.removed_at, c.language_code, c.town, c.fields,
    coalesce(kinds.list, '{}')
from contact c
left join lateral (
    select array_agg(distinct i.kind order by i.kind) as list
    from identifier i
    where i.account_id = %(account_id)s and i.contact_id = c.contact_id and i.kind > 3
) kinds on true
where c.account_id = %(account_id)s
  and c.contact_id = any(%(ids)s::bigint[])
order by c.contact_id desc

-- name: card
-- Everything of one card, whatever its state; primary key.
select
    contact_id, status, external_id, email, phone, first_name, last_name, contact_key, language_code,
    time_zone, region, town, address, postcode, fields, consent, source, keyed, created_at, updated_at,
    removed_at, merged_into
from contact
where account_id = %(account_id)s
  and contact_id = %(contact_id)s

-- name: lists_of
-- The lists and segments that a contact is in and since when; index segment_member_by_contact, and a
-- look-up in the primary key of segment_match for each segment of the account.
select s.segment_id, s.name, s.type, m.since
from segment_member m
join segment s on s.account_id = %(account_id)s and s.segment_id = m.segment_id
where m.account_id = %(account_id)s
  and m.contact_id = %(contact_id)s
union all
select s.segment_id, s.name, s.type, m.since
from segment s
join segment_match m
  on m.account_id = %(account_id)s
 and m.version_id = s.version_id
 and m.contact_id = %(contact_id)s
where s.account_id = %(account_id)s
  and s.version_id is not null
order by 2

-- name: created_by_day
-- How many of today's live contacts were created on each day: reads the whole account.
select date_trunc('day', created_at at time zone 'UTC')::date, count(*)
from contact
where account_id = %(account_id)s
  and status = 0
group by 1
order by 1

-- name: feed
-- The newest rows of the identity history; primary key.
select history_id, at, action, rule, contact_id, other_contact_id, method, request_id, key_id, identifiers
from identity_history
where account_id = %(account_id)s
  and action <> 'said'
order by history_id desc
limit %(rows)s

-- name: history_exceeds
-- A row beyond so many of the identity history, if there is one; primary key.
select 1
from identity_history
where account_id = %(account_id)s
order by history_id
offset %(rows)s
limit 1
