-- name: find_identifiers
-- Rows of these identifiers, the first 1,000 of each value; the loader asks for the rest. Primary key.
select i.kind, i.value_key, i.ordinal, i.contact_id, i.long_value, i.former, i.since, i.rule,
       i.app, i.device, i.attributes, i.senders, i.home
from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, value_key)
cross join lateral (
    select *
    from identifier
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    order by ordinal
    limit 1000
) i

-- name: lock_cards
-- These cards, locked in id order so that two writers never wait for each other; primary key.
select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
       language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed,
       created_at, updated_at, removed_at, merged_into, merges, last_word, proof
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
order by contact_id
for update

-- name: read_cards
-- The same cards without a lock, for a dry run.
select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
       language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed,
       created_at, updated_at, removed_at, merged_into, merges, last_word, proof
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: lock_holders
-- What find_identifiers and lock_cards would say, for a few commands, without waiting in between.
select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
       language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed,
       created_at, updated_at, removed_at, merged_into, merges, last_word, proof
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[] || array(
      select i.contact_id
      from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, value_key)
      cross join lateral (
          select contact_id
          from identifier
          where account_id = %(account_id)s
            and kind = k.kind
            and value_key = k.value_key
          order by ordinal
          limit 20
      ) i
  ))
order by contact_id
for update

-- name: identifiers_of
-- Every identifier of these cards; index identifier_by_contact.
select kind, value_key, ordinal, contact_id, long_value, former, since, rule, app, device, attributes,
       senders, home
from identifier
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: lists_of
-- Lists and segments of these cards; index segment_member_by_contact.
select contact_id, segment_id
from segment_member
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: apart_of
-- Who these cards are known not to be; primary key and apart_by_other.
select contact_id, other_id
from apart
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
union all
select contact_id, other_id
from apart
where account_id = %(account_id)s
  and other_id = any(%(ids)s::bigint[])

-- name: merge
-- A merge, whether it was undone; primary key, identity_history_undone.
select h.history_id, h.contact_id, h.other_contact_id, h.snapshot,
       exists (
           select from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = h.history_id
       )
from identity_history h
where h.account_id = %(account_id)s
  and h.history_id = %(merge_id)s
  and h.action = 'absorbed'

-- name: later_merges
-- Merges that its survivor took part in since, and that stand: they must be undone first. Both indexes
-- by contact, in a young table too (update_contacts).
select l.history_id
from (
    select history_id, contact_id
    from identity_history
    where account_id = %(account_id)s
      and history_id between %(merge_id)s and %(merge_id)s
    order by history_id
    limit 1
) m
cross join lateral (
    (
        select history_id, action
        from identity_history
        where account_id = %(account_id)s
          and contact_id between m.contact_id and m.contact_id
        order by contact_id
    )
    union all
    (
        select history_id, action
        from identity_history
        where account_id = %(account_id)s
          and other_contact_id between m.contact_id and m.contact_id
        order by other_contact_id
    )
) l
left join lateral (
    select undoes
    from identity_history
    where account_id = %(account_id)s
      and undoes between l.history_id and l.history_id
    order by undoes
    limit 1
) u on true
where l.history_id > m.history_id
  and l.action = 'absorbed'
  and u.undoes is null
order by l.history_id

-- name: absorbed_by
-- The card that a merge absorbed, and those that had been merged into it; index contact_by_survivor, in a
-- young table too (update_contacts).
with recursive person as (
    (
        select other_contact_id as contact_id
        from identity_history
        where account_id = %(account_id)s
          and history_id between %(merge_id)s and %(merge_id)s
        order by history_id
        limit 1
    )
    union
    select c.contact_id
    from person p
    cross join lateral (
        select contact_id
        from contact
        where account_id = %(account_id)s
          and merged_into between p.contact_id and p.contact_id
        order by merged_into
    ) c
)
select contact_id
from person

-- name: words_since
-- What requests said to the survivor of a merge since, in order, or to all whom it was merged with in
-- between; index identity_history_said, identity_history_by_contact, in a young table too (update_contacts).
with merge as (
    select history_id, contact_id
    from identity_history
    where account_id = %(account_id)s
      and history_id between %(merge_id)s and %(merge_id)s
    order by history_id
    limit 1
)
select w.history_id, w.at, w.request_id, w.key_id, w.method, w.snapshot
from merge m
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id between m.contact_id and m.contact_id
      and action = 'said'
    order by contact_id, history_id
) w
where w.history_id > m.history_id
union all
select w.history_id, w.at, w.request_id, w.key_id, w.method, w.snapshot
from merge m
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id between m.contact_id and m.contact_id
    order by contact_id
) u
cross join lateral (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id between u.other_contact_id and u.other_contact_id
      and action = 'said'
    order by contact_id, history_id
) w
where u.history_id > m.history_id
  and u.action = 'undone'
  and w.history_id > u.undoes
  and w.history_id < u.history_id
  and w.snapshot ->> 'side' = '0'
order by 1

-- name: lost_since
-- Identifiers that left the survivor by themselves since, or whom it was merged with in between; both
-- indexes by contact, in a young table too (update_contacts).
with merge as (
    select history_id, contact_id
    from identity_history
    where account_id = %(account_id)s
      and history_id between %(merge_id)s and %(merge_id)s
    order by history_id
    limit 1
),
part_of as (
    select contact_id, history_id as first, null::bigint as last
    from merge
    union all
    select u.other_contact_id, u.undoes, u.history_id
    from merge m
    cross join lateral (
        select *
        from identity_history
        where account_id = %(account_id)s
          and contact_id between m.contact_id and m.contact_id
        order by contact_id
    ) u
    where u.history_id > m.history_id
      and u.action = 'undone'
)
select l.history_id, l.at, l.rule, l.identifiers
from part_of p
cross join lateral (
    (
        select history_id, at, rule, identifiers
        from identity_history
        where account_id = %(account_id)s
          and other_contact_id between p.contact_id and p.contact_id
          and action in ('moved', 'claimed')
        order by other_contact_id
    )
    union all
    (
        select history_id, at, rule, identifiers
        from identity_history
        where account_id = %(account_id)s
          and contact_id between p.contact_id and p.contact_id
          and (action = 'quarantined' or action = 'dropped' and rule in ('logout', 'claim'))
        order by contact_id
    )
) l
where l.history_id > p.first
  and (p.last is null or l.history_id < p.last)
  and l.identifiers is not null
order by 1

-- name: allow_bitmap_scan
-- For the next statement of this transaction and back: a GIN index knows no other scan.
select set_config('enable_bitmapscan', %(allowed)s, true), set_config('enable_indexscan', %(others)s, true)

-- name: find_by_field
-- Contacts by the value of a custom field, the first 1,000 of each; index contact_by_field.
select k.field, k.value, c.contact_id
from unnest(%(fields)s::integer[], %(values)s::text[]) as k (field, value)
cross join lateral (
    select contact_id
    from contact
    where account_id = %(account_id)s
      and fields @> jsonb_build_object(k.field::text, k.value)
      and fields <> '{}'
      and status < 2
    limit 1000
) c
where k.field > 0

-- name: find_by_contact_key
-- Contacts by contact key, the first 1,000 of each; index contact_by_key.
select k.field, k.value, c.contact_id
from unnest(%(fields)s::integer[], %(values)s::text[]) as k (field, value)
cross join lateral (
    select contact_id
    from contact
    where account_id = %(account_id)s
      and contact_key = k.value
      and status < 2
    limit 1000
) c
where k.field = 0

-- name: any_refusal
-- Whether any address of the account refuses anything or anybody was erased; primary keys.
select exists (select from address_refusal where account_id = %(account_id)s)
    or exists (select from suppression where account_id = %(account_id)s)

-- name: find_refusals
-- What these addresses refused; primary key.
select r.kind, r.value_key, r.state
from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, value_key)
cross join lateral (
    select *
    from address_refusal
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    limit 1
) r

-- name: find_suppressions
-- Hashes of erased persons among these; primary key.
select s.kind, s.digest, s.contact_id, s.refusal, s.erased_at
from unnest(%(kinds)s::smallint[], %(digests)s::bytea[]) as k (kind, digest)
cross join lateral (
    select *
    from suppression
    where account_id = %(account_id)s
      and kind = k.kind
      and digest = k.digest
    limit 100
) s

-- name: next_contact_ids
-- A block of a thousand contact ids for this process; never given out again.
select nextval('contact_id_block')

-- name: insert_contacts
-- New cards.
insert into contact (
    account_id, contact_id, status, external_id, former_ids, email, phone, first_name, last_name,
    contact_key, language_code, time_zone, region, town, address, postcode, fields, consent, source,
    keyed, created_at, updated_at, removed_at, merged_into, merges, last_word, proof
)
select %(account_id)s::integer, contact_id, status, external_id, former_ids, email, phone, first_name, last_name,
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

-- name: update_contacts
-- Changed cards, whole; primary key. The version tells readers and exports that the row is another.
-- Each is looked up by a range of one value and written where it was found: with an equality the planner
-- would read the whole account for each batch while the table is young and without statistics.
update contact c
set version = c.version + 1,
    status = d.status, external_id = d.external_id, former_ids = d.former_ids, email = d.email,
    phone = d.phone, first_name = d.first_name, last_name = d.last_name, contact_key = d.contact_key,
    language_code = d.language_code, time_zone = d.time_zone, region = d.region, town = d.town,
    address = d.address, postcode = d.postcode, fields = d.fields::jsonb, consent = d.consent::jsonb,
    source = d.source, keyed = d.keyed, created_at = d.created_at, updated_at = d.updated_at,
    removed_at = d.removed_at, merged_into = d.merged_into, merges = d.merges,
    last_word = d.last_word, proof = d.proof::jsonb
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
cross join lateral (
    select ctid
    from contact
    where account_id = %(account_id)s
      and contact_id between d.contact_id and d.contact_id
    order by contact_id
    limit 1
) l
where c.account_id = %(account_id)s
  and c.ctid = l.ctid

-- name: delete_identifiers
-- Rows that left their card; primary key, as in update_contacts. Runs before the inserts: a move is both.
delete from identifier i
using unnest(%(kind)s::smallint[], %(value_key)s::text[], %(ordinal)s::integer[]) as d (kind, value_key, ordinal)
cross join lateral (
    select ctid
    from identifier
    where account_id = %(account_id)s
      and kind = d.kind
      and value_key = d.value_key
      and ordinal between d.ordinal and d.ordinal
    order by ordinal
    limit 1
) l
where i.account_id = %(account_id)s
  and i.ctid = l.ctid

-- name: insert_identifiers
-- Rows that came to a card. No `on conflict`: 23505 says that somebody was quicker, and we run again.
insert into identifier (
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

-- name: update_identifiers
-- Rows whose app, device, attributes or standing changed; primary key, as in update_contacts.
update identifier i
set former = d.former, since = d.since, rule = d.rule, app = d.app, device = d.device,
    attributes = d.attributes::jsonb, senders = d.senders::integer[], home = d.home
from unnest(
    %(kind)s::smallint[], %(value_key)s::text[], %(ordinal)s::integer[], %(former)s::boolean[],
    %(since)s::timestamptz[], %(rule)s::text[], %(app)s::text[], %(device)s::text[],
    %(attributes)s::text[], %(senders)s::text[], %(home)s::bigint[]
) as d (kind, value_key, ordinal, former, since, rule, app, device, attributes, senders, home)
cross join lateral (
    select ctid
    from identifier
    where account_id = %(account_id)s
      and kind = d.kind
      and value_key = d.value_key
      and ordinal between d.ordinal and d.ordinal
    order by ordinal
    limit 1
) l
where i.account_id = %(account_id)s
  and i.ctid = l.ctid

-- name: insert_history
-- The identity history of this batch, in the order of its commands.
insert into identity_history (
    account_id, at, action, rule, contact_id, other_contact_id, method, request_id, key_id, identifiers,
    snapshot, undoes, by
)
select %(account_id)s::integer, at, action, rule, contact_id, other_contact_id, method, request_id, key_id,
       identifiers::jsonb, snapshot::jsonb, undoes, by::jsonb
from unnest(
    %(at)s::timestamptz[], %(action)s::text[], %(rule)s::text[], %(contact_id)s::bigint[],
    %(other)s::bigint[], %(method)s::text[], %(request_id)s::text[], %(key_id)s::bigint[],
    %(identifiers)s::text[], %(snapshot)s::text[], %(undoes)s::bigint[], %(by)s::text[]
) with ordinality as d (
    at, action, rule, contact_id, other_contact_id, method, request_id, key_id, identifiers, snapshot,
    undoes, by, position
)
order by position

-- name: insert_change
-- That these cards, or the activity of these owners, changed in this transaction: in one row.
insert into change (account_id, at, contact_ids, owner_ids)
values (%(account_id)s, %(at)s, %(contact_ids)s::bigint[], %(owner_ids)s::bigint[])
