-- name: cards_for_why
-- Cards with all their columns, in the order of `Card`; primary key.
select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
       language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed,
       created_at, updated_at, removed_at, merged_into, merges, last_word, proof
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: held_for_why
-- Their identifiers, in the order of `Held`; index identifier_by_contact.
select kind, value_key, ordinal, contact_id, long_value, former, since, rule, app, device, attributes,
       senders, home
from (
    select *
    from identifier
    where account_id = %(account_id)s
      and contact_id = any(%(ids)s::bigint[])
    offset 0  -- so that they are found by contact, in a young table too, and sorted then
) i
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
    cross join lateral (
        select other_contact_id, rule, action
        from identity_history
        where account_id = %(account_id)s
          and contact_id = f.contact_id
        offset 0  -- so that it is looked up by contact, in a young table too
    ) h
    where h.rule = 'follows_device' or h.action = 'absorbed' or (h.action = 'moved' and f.by_device)
),
own as (
    select h.history_id
    from followed f
    cross join lateral (
        select history_id
        from identity_history
        where account_id = %(account_id)s
          and contact_id = f.contact_id
        offset 0
    ) h
    union
    select history_id
    from identity_history
    where account_id = %(account_id)s
      and other_contact_id = any(%(ids)s::bigint[])
    union
    select h.history_id
    from (
        select other_contact_id, undoes, history_id, action
        from identity_history
        where account_id = %(account_id)s
          and contact_id = any(%(ids)s::bigint[])
        offset 0
    ) u
    cross join lateral (
        select history_id
        from identity_history
        where account_id = %(account_id)s
          and contact_id = u.other_contact_id
        offset 0
    ) h
    where u.action = 'undone'
      and h.history_id between u.undoes and u.history_id
)
select h.history_id, h.at, h.action, h.rule, h.contact_id, h.other_contact_id, h.method, h.request_id,
       h.key_id, h.identifiers, h.by,
       h.action = 'absorbed' and u.undone is not null
from own
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and history_id = own.history_id
    limit 1
) h
left join lateral (
    select true as undone
    from identity_history
    where account_id = %(account_id)s
      and undoes = h.history_id
    limit 1
) u on true
where h.action <> 'said'
order by h.history_id
limit 20000

-- name: absorbed_snapshots
-- The cards that were merged into these, as they were; index identity_history_by_contact.
select other_contact_id, snapshot
from (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id = any(%(ids)s::bigint[])
    offset 0  -- so that they are found by contact, and not among all merges of the account
) m
where action = 'absorbed'
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
from (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id = any(%(ids)s::bigint[])
    offset 0  -- so that they are found by contact, and not among all merges of the account
) m
where action = 'absorbed'
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
