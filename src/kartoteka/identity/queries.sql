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
-- Who these cards, and those that were merged into them, are known not to be: the pair, and the cards that
-- they are part of. Primary key, apart_by_other, contact_by_survivor.
with parts as materialized (
    select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])
),
pairs as materialized (
    select a.contact_id, a.other_id
    from parts p
    cross join lateral (
        select contact_id, other_id
        from apart
        where account_id = %(account_id)s
          and contact_id between p.part and p.part
        order by contact_id
    ) a
    union
    select a.contact_id, a.other_id
    from parts p
    cross join lateral (
        select contact_id, other_id
        from apart
        where account_id = %(account_id)s
          and other_id between p.part and p.part
        order by other_id
    ) a
)
select p.contact_id, p.other_id,
       survivor_of(%(account_id)s::integer, p.contact_id), survivor_of(%(account_id)s::integer, p.other_id)
from pairs p

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
select %(account_id)s::integer, contact_id, coalesce(status, 0), external_id, coalesce(former_ids, 0), email,
       phone, first_name, last_name, contact_key, language_code, time_zone, region, town, address, postcode,
       coalesce(fields::jsonb, '{}'), coalesce(consent::jsonb, '{}'), source, coalesce(keyed, true),
       created_at, updated_at, removed_at, merged_into, coalesce(merges, 0), last_word,
       coalesce(proof::jsonb, '[]')
from (
    select unnest(%(contact_id)s::bigint[]) as contact_id, unnest(%(status)s::smallint[]) as status,
           unnest(%(external_id)s::text[]) as external_id,
           unnest(%(former_ids)s::integer[]) as former_ids, unnest(%(email)s::text[]) as email,
           unnest(%(phone)s::text[]) as phone, unnest(%(first_name)s::text[]) as first_name,
           unnest(%(last_name)s::text[]) as last_name, unnest(%(contact_key)s::text[]) as contact_key,
           unnest(%(language_code)s::text[]) as language_code,
           unnest(%(time_zone)s::text[]) as time_zone, unnest(%(region)s::text[]) as region,
           unnest(%(town)s::text[]) as town, unnest(%(address)s::text[]) as address,
           unnest(%(postcode)s::text[]) as postcode, unnest(%(fields)s::text[]) as fields,
           unnest(%(consent)s::text[]) as consent, unnest(%(source)s::text[]) as source,
           unnest(%(keyed)s::boolean[]) as keyed, unnest(%(created_at)s::timestamptz[]) as created_at,
           unnest(%(updated_at)s::timestamptz[]) as updated_at,
           unnest(%(removed_at)s::timestamptz[]) as removed_at,
           unnest(%(merged_into)s::bigint[]) as merged_into, unnest(%(merges)s::integer[]) as merges,
           unnest(%(last_word)s::bigint[]) as last_word, unnest(%(proof)s::text[]) as proof
) d

-- name: update_contacts
-- Changed cards; primary key. The array of a column that no card of the batch changed is NULL. The
-- version tells readers and exports that the row is another.
-- Each is looked up by a range of one value and written where it was found: with an equality the planner
-- would read the whole account for each batch while the table is young and without statistics.
update contact c
set version = c.version + 1,
    status = case when %(status)s::smallint[] is null then c.status else d.status end,
    external_id = case when %(external_id)s::text[] is null then c.external_id else d.external_id end,
    former_ids = case when %(former_ids)s::integer[] is null then c.former_ids else d.former_ids end,
    email = case when %(email)s::text[] is null then c.email else d.email end,
    phone = case when %(phone)s::text[] is null then c.phone else d.phone end,
    first_name = case when %(first_name)s::text[] is null then c.first_name else d.first_name end,
    last_name = case when %(last_name)s::text[] is null then c.last_name else d.last_name end,
    contact_key = case when %(contact_key)s::text[] is null then c.contact_key else d.contact_key end,
    language_code = case when %(language_code)s::text[] is null then c.language_code else d.language_code end,
    time_zone = case when %(time_zone)s::text[] is null then c.time_zone else d.time_zone end,
    region = case when %(region)s::text[] is null then c.region else d.region end,
    town = case when %(town)s::text[] is null then c.town else d.town end,
    address = case when %(address)s::text[] is null then c.address else d.address end,
    postcode = case when %(postcode)s::text[] is null then c.postcode else d.postcode end,
    fields = case when %(fields)s::text[] is null then c.fields else d.fields::jsonb end,
    consent = case when %(consent)s::text[] is null then c.consent else d.consent::jsonb end,
    source = case when %(source)s::text[] is null then c.source else d.source end,
    keyed = case when %(keyed)s::boolean[] is null then c.keyed else d.keyed end,
    created_at = case when %(created_at)s::timestamptz[] is null then c.created_at else d.created_at end,
    updated_at = case when %(updated_at)s::timestamptz[] is null then c.updated_at else d.updated_at end,
    removed_at = case when %(removed_at)s::timestamptz[] is null then c.removed_at else d.removed_at end,
    merged_into = case when %(merged_into)s::bigint[] is null then c.merged_into else d.merged_into end,
    merges = case when %(merges)s::integer[] is null then c.merges else d.merges end,
    last_word = case when %(last_word)s::bigint[] is null then c.last_word else d.last_word end,
    proof = case when %(proof)s::text[] is null then c.proof else d.proof::jsonb end
from (
    select unnest(%(contact_id)s::bigint[]) as contact_id, unnest(%(status)s::smallint[]) as status,
           unnest(%(external_id)s::text[]) as external_id,
           unnest(%(former_ids)s::integer[]) as former_ids, unnest(%(email)s::text[]) as email,
           unnest(%(phone)s::text[]) as phone, unnest(%(first_name)s::text[]) as first_name,
           unnest(%(last_name)s::text[]) as last_name, unnest(%(contact_key)s::text[]) as contact_key,
           unnest(%(language_code)s::text[]) as language_code,
           unnest(%(time_zone)s::text[]) as time_zone, unnest(%(region)s::text[]) as region,
           unnest(%(town)s::text[]) as town, unnest(%(address)s::text[]) as address,
           unnest(%(postcode)s::text[]) as postcode, unnest(%(fields)s::text[]) as fields,
           unnest(%(consent)s::text[]) as consent, unnest(%(source)s::text[]) as source,
           unnest(%(keyed)s::boolean[]) as keyed, unnest(%(created_at)s::timestamptz[]) as created_at,
           unnest(%(updated_at)s::timestamptz[]) as updated_at,
           unnest(%(removed_at)s::timestamptz[]) as removed_at,
           unnest(%(merged_into)s::bigint[]) as merged_into, unnest(%(merges)s::integer[]) as merges,
           unnest(%(last_word)s::bigint[]) as last_word, unnest(%(proof)s::text[]) as proof
) d
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
select %(account_id)s::integer, kind, value_key, coalesce(ordinal, 0), contact_id, long_value,
       coalesce(former, false), since, rule, app, device, attributes::jsonb, senders::integer[], home
from (
    select unnest(%(kind)s::smallint[]) as kind, unnest(%(value_key)s::text[]) as value_key,
           unnest(%(ordinal)s::integer[]) as ordinal, unnest(%(contact_id)s::bigint[]) as contact_id,
           unnest(%(long_value)s::text[]) as long_value, unnest(%(former)s::boolean[]) as former,
           unnest(%(since)s::timestamptz[]) as since, unnest(%(rule)s::text[]) as rule,
           unnest(%(app)s::text[]) as app, unnest(%(device)s::text[]) as device,
           unnest(%(attributes)s::text[]) as attributes, unnest(%(senders)s::text[]) as senders,
           unnest(%(home)s::bigint[]) as home
) d

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
-- The identity history of this batch, in the order of its commands: of the arrays.
insert into identity_history (
    account_id, at, action, rule, contact_id, other_contact_id, method, request_id, key_id, identifiers,
    snapshot, undoes, by
)
select %(account_id)s::integer, at, action, rule, contact_id, other_contact_id, method, request_id, key_id,
       identifiers::jsonb, snapshot::jsonb, undoes, by::jsonb
from (
    select unnest(%(at)s::timestamptz[]) as at, unnest(%(action)s::text[]) as action,
           unnest(%(rule)s::text[]) as rule, unnest(%(contact_id)s::bigint[]) as contact_id,
           unnest(%(other)s::bigint[]) as other_contact_id, unnest(%(method)s::text[]) as method,
           unnest(%(request_id)s::text[]) as request_id, unnest(%(key_id)s::bigint[]) as key_id,
           unnest(%(identifiers)s::text[]) as identifiers, unnest(%(snapshot)s::text[]) as snapshot,
           unnest(%(undoes)s::bigint[]) as undoes, unnest(%(by)s::text[]) as by
) d

-- name: insert_change
-- That these cards, or the activity of these owners, changed in this transaction: in one row.
insert into change (account_id, at, contact_ids, owner_ids)
values (%(account_id)s, %(at)s, %(contact_ids)s::bigint[], %(owner_ids)s::bigint[])
