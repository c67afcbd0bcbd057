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
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = a.contact_id
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
from identifier i
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = i.contact_id
where i.account_id = %(account_id)s
  and i.kind = %(kind)s
  and i.value_key = %(value_key)s
  and c.status = 0
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

-- name: find_token
-- Live holders of a token of this app or of none (decisions D2); primary keys.
select c.contact_id, i.attributes
from identifier i
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = i.contact_id
where i.account_id = %(account_id)s
  and i.kind = any(%(kinds)s::smallint[])
  and i.value_key = %(value_key)s
  and i.ordinal = 0
  and (i.app is null or i.app = %(app)s)
  and c.status = 0
order by i.kind
limit 1

-- name: emails
-- E-mails of live contacts; primary key.
select contact_id, email
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and status = 0
  and email is not null
order by contact_id

-- name: categories
-- Subscription categories of the account, in the order of their ids; primary key.
select category_id, key, name, group_id, created_at, updated_at
from subscription_category
where account_id = %(account_id)s
order by category_id

-- name: name_category
-- A category and what people call it; unique key of subscription_category.
insert into subscription_category (account_id, key, name, created_at, updated_at)
values (%(account_id)s, %(key)s, %(name)s, %(at)s, %(at)s)
on conflict (account_id, key) do update
set name = excluded.name, updated_at = excluded.updated_at

-- name: category_counts
-- How many live contacts are subscribed to each category: reads the whole account.
select substr(entry.key, 10), count(*)
from contact c
cross join lateral jsonb_each(c.consent) as entry (key, state)
where c.account_id = %(account_id)s
  and c.status = 0
  and entry.key like 'category:%%'
  and entry.state = '1'
group by entry.key

-- name: person
-- The card that an id leads to, and every card that was merged into it; primary key and
-- contact_by_survivor. Rows are (contact id, status), the card itself first.
with recursive
up as (
    select contact_id, status, merged_into, 0 as depth
    from contact
    where account_id = %(account_id)s
      and contact_id = %(contact_id)s
    union all
    select c.contact_id, c.status, c.merged_into, u.depth + 1
    from up u
    join contact c
      on c.account_id = %(account_id)s
     and c.contact_id = u.merged_into
    where u.status = 2
),
down as (
    (select contact_id, status, 0 as depth from up order by up.depth desc limit 1)
    union all
    select c.contact_id, c.status, d.depth + 1
    from down d
    join contact c
      on c.account_id = %(account_id)s
     and c.merged_into = d.contact_id
)
select contact_id, status
from down
order by depth, contact_id

-- name: identifiers
-- All identifiers of one card; index identifier_by_contact.
select kind, coalesce(long_value, value_key), former, since, rule, app, device
from identifier
where account_id = %(account_id)s
  and contact_id = %(contact_id)s
order by kind, former, since, value_key

-- name: history
-- What happened to these cards, newest first; indexes identity_history_by_contact and _by_other.
select history_id, at, action, rule, contact_id, other_contact_id, method, request_id, key_id, identifiers
from identity_history
where account_id = %(account_id)s
  and history_id in (
      select history_id
      from identity_history
      where account_id = %(account_id)s
        and contact_id = any(%(ids)s::bigint[])
      union
      select history_id
      from identity_history
      where account_id = %(account_id)s
        and other_contact_id = any(%(ids)s::bigint[])
  )
  and action <> 'said'
order by history_id desc
limit %(rows)s
offset %(skip)s

-- name: merges_of
-- Merges that these cards took part in, newest first, also what was undone since; both indexes by contact.
select m.history_id, m.contact_id, m.other_contact_id, m.at, m.rule, m.method, m.request_id, m.key_id,
       (
           select u.at from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = m.history_id
       ),
       count(*) over ()
from (
    select history_id
    from identity_history
    where account_id = %(account_id)s
      and contact_id = any(%(ids)s::bigint[])
      and action = 'absorbed'
    union
    select history_id
    from identity_history
    where account_id = %(account_id)s
      and other_contact_id = any(%(ids)s::bigint[])
      and action = 'absorbed'
) one
join identity_history m
  on m.account_id = %(account_id)s
 and m.history_id = one.history_id
order by m.history_id desc
limit %(rows)s
offset %(skip)s

-- name: merges
-- All merges of the account, newest first; index identity_history_merges.
select m.history_id, m.contact_id, m.other_contact_id, m.at, m.rule, m.method, m.request_id, m.key_id,
       (
           select u.at from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = m.history_id
       )
from identity_history m
where account_id = %(account_id)s
  and action = 'absorbed'
order by history_id desc
limit %(rows)s
offset %(skip)s

-- name: merge_of
-- The last merge of these two, and that of this id; index identity_history_by_contact.
select history_id
from identity_history
where account_id = %(account_id)s
  and contact_id = %(survivor_id)s
  and other_contact_id = %(absorbed_id)s
  and action = 'absorbed'
order by history_id desc
limit 1

-- name: count_merges
-- How many merges the account has seen; index identity_history_merges.
select count(*)
from identity_history
where account_id = %(account_id)s
  and action = 'absorbed'

-- name: card_for_why
-- A card with all its columns, in the order of `Card`; primary key.
select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
       language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed,
       created_at, updated_at, removed_at, merged_into, merges, last_word, proof
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: held_for_why
-- Its identifiers, in the order of `Held`; index identifier_by_contact.
select kind, value_key, ordinal, contact_id, long_value, former, since, rule, app, device, attributes,
       senders, home
from identifier
where account_id = %(account_id)s
  and contact_id = %(contact_id)s
order by kind, since, value_key

-- name: evidence
-- How a card and those merged into it came by their identifiers, also while they were part of others, in
-- order: the last 20,000 rows; both indexes by contact. What came with a device is followed to who had it
-- before.
with recursive followed as (
    select unnest(%(ids)s::bigint[]) as contact_id, false as by_device
    union
    select h.other_contact_id, f.by_device or h.rule = 'follows_device'
    from followed f
    join identity_history h
      on h.account_id = %(account_id)s
     and h.contact_id = f.contact_id
     and (h.rule = 'follows_device' or h.action = 'absorbed' or (h.action = 'moved' and f.by_device))
),
own as (
    select h.history_id
    from followed f
    join identity_history h on h.account_id = %(account_id)s and h.contact_id = f.contact_id
    union
    select history_id
    from identity_history
    where account_id = %(account_id)s
      and other_contact_id = any(%(ids)s::bigint[])
    union
    select h.history_id
    from identity_history u
    join identity_history h
      on h.account_id = %(account_id)s
     and h.contact_id = u.other_contact_id
     and h.history_id between u.undoes and u.history_id
    where u.account_id = %(account_id)s
      and u.contact_id = any(%(ids)s::bigint[])
      and u.action = 'undone'
)
select h.history_id, h.at, h.action, h.rule, h.contact_id, h.other_contact_id, h.method, h.request_id,
       h.key_id, h.identifiers, h.by,
       h.action = 'absorbed' and exists (
           select from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = h.history_id
       )
from own
join identity_history h on h.account_id = %(account_id)s and h.history_id = own.history_id
where h.action <> 'said'
order by h.history_id
limit 20000

-- name: absorbed_snapshots
-- The cards that were merged into these, as they were; index identity_history_by_contact.
select other_contact_id, snapshot
from identity_history
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and action = 'absorbed'
  and snapshot is not null
order by history_id

-- name: names_for_why
-- Names of these contacts, and which request said each; primary key.
select first_name, last_name, proof, contact_id
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and (first_name is not null or last_name is not null)

-- name: names_absorbed_for_why
-- The same of what was merged into them, as it was; index identity_history_by_contact.
select snapshot -> 'card' ->> 'first_name', snapshot -> 'card' ->> 'last_name',
       snapshot -> 'card' -> 'proof', other_contact_id
from identity_history
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and action = 'absorbed'
  and snapshot is not null

-- name: apart_for_why
-- Who of these is known not to be the same as who; primary key.
select contact_id, other_id
from apart
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and other_id = any(%(ids)s::bigint[])

-- name: devices_for_why
-- The device that each of their tokens belongs to; index identifier_by_contact.
select kind, coalesce(long_value, value_key), device
from identifier
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and device is not null

-- name: apart
-- Whether these two, or who is part of them, are known not to be the same; primary key.
select a.reason
from parts_of(%(account_id)s::integer, array[%(one)s::bigint]) p
cross join parts_of(%(account_id)s::integer, array[%(other)s::bigint]) q
join apart a
  on a.account_id = %(account_id)s
 and a.contact_id = least(p.part, q.part)
 and a.other_id = greatest(p.part, q.part)
order by a.at desc
limit 1
