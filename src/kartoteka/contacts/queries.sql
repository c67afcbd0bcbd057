-- name: insert_events
-- Events that contact methods themselves cause (wire 3.6), noted for exports.
with written as (
    insert into event (account_id, owner_id, type_key, key_value, occurred, received, params)
    select %(account_id)s::integer, contact_id, type_key, key_value, occurred, occurred, params::jsonb
    from unnest(
        %(contact_id)s::bigint[], %(type_key)s::text[], %(key_value)s::text[], %(occurred)s::timestamptz[],
        %(params)s::text[]
    ) as d (contact_id, type_key, key_value, occurred, params)
    returning event_id, occurred
)
insert into change (account_id, at, event_ids, event_times)
select %(account_id)s::integer, max(occurred), array_agg(event_id), array_agg(occurred)
from written
having count(*) > 0

-- name: create_lists
-- Lists that are named and do not exist yet (wire 3.6); index segment_static_name.
insert into segment (account_id, name, type, created_at)
select distinct on (name) %(account_id)s::integer, name, 'Static', at
from unnest(%(name)s::text[], %(at)s::timestamptz[]) as d (name, at)
order by name
on conflict (account_id, name) where type = 'Static' do nothing

-- name: join_lists
-- Put contacts on lists by name; who is on it stays as it is.
insert into segment_member (account_id, segment_id, contact_id, since)
select distinct %(account_id)s::integer, s.segment_id, d.contact_id, d.at
from unnest(%(name)s::text[], %(contact_id)s::bigint[], %(at)s::timestamptz[]) as d (name, contact_id, at)
join segment s
  on s.account_id = %(account_id)s
 and s.name = d.name
 and s.type = 'Static'
on conflict (account_id, segment_id, contact_id) do nothing

-- name: attach_members
-- Put contacts on lists by id; who is on it stays as it is. Primary keys.
insert into segment_member (account_id, segment_id, contact_id, since)
select %(account_id)s::integer, s.segment_id, d.contact_id, d.at
from unnest(%(segment_id)s::integer[], %(contact_id)s::bigint[], %(at)s::timestamptz[])
    as d (segment_id, contact_id, at)
join segment s
  on s.account_id = %(account_id)s
 and s.segment_id = d.segment_id
 and s.type = 'Static'
on conflict (account_id, segment_id, contact_id) do nothing

-- name: inherit_lists
-- Lists of absorbed cards pass to the survivor; `via` remembers where from, and the absorbed card's own
-- rows stay for the undo; index segment_member_by_contact. They are locked, so that who empties the
-- list at this moment either is seen here (40001) or sees the survivor on it.
with theirs as materialized (
    select m.segment_id, d.survivor_id, d.absorbed_id
    from unnest(%(absorbed_id)s::bigint[], %(survivor_id)s::bigint[]) as d (absorbed_id, survivor_id)
    join segment_member m
      on m.account_id = %(account_id)s
     and m.contact_id = d.absorbed_id
    where d.absorbed_id > 0
      and d.survivor_id > 0
    for key share of m
)
insert into segment_member (account_id, segment_id, contact_id, since, via)
select distinct on (segment_id, survivor_id)
       %(account_id)s::integer, segment_id, survivor_id, %(at)s::timestamptz, absorbed_id
from theirs
order by segment_id, survivor_id
on conflict (account_id, segment_id, contact_id) do nothing

-- name: leave_lists
-- Take contacts off lists by name, with the cards that were merged into them: an undo brings nobody
-- back to a list that they left. Indexes segment_static_name, contact_by_survivor; primary key.
with recursive person as (
    select s.segment_id, d.contact_id
    from unnest(%(name)s::text[], %(contact_id)s::bigint[]) as d (name, contact_id)
    join segment s
      on s.account_id = %(account_id)s
     and s.name = d.name
     and s.type = 'Static'
    union
    select p.segment_id, c.contact_id
    from person p
    join contact c on c.account_id = %(account_id)s and c.merged_into = p.contact_id
)
delete from segment_member m
using person p
where m.account_id = %(account_id)s
  and m.segment_id = p.segment_id
  and m.contact_id = p.contact_id

-- name: detach_members
-- The same by the list's id.
with recursive person as (
    select s.segment_id, d.contact_id
    from unnest(%(segment_id)s::integer[], %(contact_id)s::bigint[]) as d (segment_id, contact_id)
    join segment s
      on s.account_id = %(account_id)s
     and s.segment_id = d.segment_id
     and s.type = 'Static'
    union
    select p.segment_id, c.contact_id
    from person p
    join contact c on c.account_id = %(account_id)s and c.merged_into = p.contact_id
)
delete from segment_member m
using person p
where m.account_id = %(account_id)s
  and m.segment_id = p.segment_id
  and m.contact_id = p.contact_id

-- name: detach_range
-- Take everybody between two contact ids off a list, retired cards too; primary key.
with gone as (
    delete from segment_member m
    using unnest(%(segment_id)s::integer[], %(first)s::bigint[], %(last)s::bigint[])
        as d (segment_id, first_id, last_id)
    where m.account_id = %(account_id)s
      and m.segment_id = d.segment_id
      and m.contact_id between d.first_id and d.last_id
      and exists (
          select from segment s
          where s.account_id = %(account_id)s and s.segment_id = d.segment_id and s.type = 'Static'
      )
    returning m.contact_id
)
insert into change (account_id, at, contact_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(contact_id)
from gone
having count(*) > 0

-- name: insert_apart
-- Pairs that are not the same person; who said so last stays.
insert into apart (account_id, contact_id, other_id, at, reason, request_id, key_id)
select %(account_id)s::integer, contact_id, other_id, at, reason, request_id, key_id
from unnest(
    %(contact_id)s::bigint[], %(other_id)s::bigint[], %(at)s::timestamptz[], %(reason)s::text[],
    %(request_id)s::text[], %(key_id)s::bigint[]
) as d (contact_id, other_id, at, reason, request_id, key_id)
on conflict (account_id, contact_id, other_id)
do update set at = excluded.at, reason = excluded.reason, request_id = excluded.request_id,
              key_id = excluded.key_id

-- name: delete_apart
-- Pairs that are the same person after all.
delete from apart a
using unnest(%(contact_id)s::bigint[], %(other_id)s::bigint[]) as d (contact_id, other_id)
where a.account_id = %(account_id)s
  and a.contact_id = d.contact_id
  and a.other_id = d.other_id

-- name: part_words
-- An undone merge: what was said for the absorbed cards since goes with them, and what brought them
-- back is not needed any more; primary key, index identity_history_said.
with given as (
    update identity_history
    set contact_id = %(absorbed_id)s
    where account_id = %(account_id)s
      and contact_id = %(survivor_id)s
      and action = 'said'
      and history_id > %(merge_id)s
      and (snapshot ->> 'side')::bigint = any(%(absorbed)s::bigint[])
)
update identity_history
set snapshot = null
where account_id = %(account_id)s
  and history_id = %(merge_id)s

-- name: part_lists
-- An undone merge. What counts is who joined a list since the survivor is on it (whoever left it in
-- between, left it as all that they were). Lists that came from the absorbed cards stay the survivor's
-- only if it joined them by itself (`own`); those joined for the absorbed one (`back`) are its too, and
-- only its, if nothing else put the survivor on them. Index segment_member_by_contact.
with own as (
    select s.segment_id, min(d.at) as at
    from unnest(%(own_lists)s::text[], %(own_at)s::timestamptz[]) as d (which, at)
    join segment s
      on s.account_id = %(account_id)s
     and s.type = 'Static'
     and d.which in ('#' || s.segment_id, '=' || s.name)
    join segment_member m
      on m.account_id = %(account_id)s
     and m.segment_id = s.segment_id
     and m.contact_id = %(survivor_id)s
     and m.since <= d.at
    group by s.segment_id
),
back as (
    select s.segment_id, min(d.at) as at, min(m.since) as since
    from unnest(%(back_lists)s::text[], %(back_at)s::timestamptz[]) as d (which, at)
    join segment s
      on s.account_id = %(account_id)s
     and s.type = 'Static'
     and d.which in ('#' || s.segment_id, '=' || s.name)
    join segment_member m
      on m.account_id = %(account_id)s
     and m.segment_id = s.segment_id
     and m.contact_id = %(survivor_id)s
     and m.since <= d.at
    group by s.segment_id
),
came as (
    insert into segment_member (account_id, segment_id, contact_id, since)
    select %(account_id)s::integer, segment_id, %(absorbed_id)s::bigint, at
    from back
    on conflict (account_id, segment_id, contact_id) do nothing
),
kept as (
    update segment_member m
    set via = null, since = own.at
    from own
    where m.account_id = %(account_id)s
      and m.contact_id = %(survivor_id)s
      and m.segment_id = own.segment_id
      and (
          m.via = any(%(absorbed)s::bigint[])
          or exists (select from back where back.segment_id = m.segment_id and back.at = m.since)
      )
)
delete from segment_member m
where m.account_id = %(account_id)s
  and m.contact_id = %(survivor_id)s
  and (
      m.via = any(%(absorbed)s::bigint[])
      or exists (select from back where back.segment_id = m.segment_id and back.at = m.since)
  )
  and m.segment_id not in (select segment_id from own)

-- name: create_categories
-- Subscription categories that are named and do not exist yet.
insert into subscription_category (account_id, key, name, created_at, updated_at)
select distinct %(account_id)s::integer, key, key, %(at)s::timestamptz, %(at)s::timestamptz
from unnest(%(key)s::text[]) as d (key)
on conflict (account_id, key) do nothing

-- name: refuse_addresses
-- What addresses refuse by themselves; the stricter state stays.
insert into address_refusal (account_id, kind, value_key, state, since)
select %(account_id)s::integer, kind, value_key, max(state), %(at)s::timestamptz
from unnest(%(kind)s::smallint[], %(value_key)s::text[], %(state)s::smallint[]) as d (kind, value_key, state)
group by kind, value_key
on conflict (account_id, kind, value_key)
do update set state = greatest(address_refusal.state, excluded.state)

-- name: forgive_addresses
-- E-mails taken off the unsubscribe list; spam reports and the blacklist stay.
delete from address_refusal
where account_id = %(account_id)s
  and kind = 2
  and value_key = any(%(value_key)s::text[])
  and state = 3

-- name: lift_suppressions
-- Erased persons whom their shop has just named again (D29).
delete from suppression s
using unnest(%(kind)s::smallint[], %(digest)s::bytea[], %(contact_id)s::bigint[])
    as d (kind, digest, contact_id)
where s.account_id = %(account_id)s
  and s.kind = d.kind
  and s.digest = d.digest
  and s.contact_id = d.contact_id

-- name: insert_suppressions
-- What stays of an erased person, with what the address refused.
insert into suppression (account_id, kind, digest, contact_id, refusal, erased_at)
select %(account_id)s::integer, d.kind, d.digest, d.contact_id, d.refusal, d.at
from unnest(
    %(kind)s::smallint[], %(digest)s::bytea[], %(contact_id)s::bigint[], %(refusal)s::smallint[],
    %(at)s::timestamptz[]
) as d (kind, digest, contact_id, refusal, at)
on conflict (account_id, kind, digest, contact_id) do nothing

-- name: forget_refusals
-- Plain addresses of erased persons that no other card had when they were erased; primary key.
delete from address_refusal r
using unnest(%(kind)s::smallint[], %(value_key)s::text[]) as d (kind, value_key)
where r.account_id = %(account_id)s
  and r.kind = d.kind
  and r.value_key = d.value_key

-- name: forget_value
-- One value leaves the history of one card and of those merged into it (a former External ID that is
-- erased alone), and what is kept for the undo of a merge; index identity_history_by_contact.
with forgotten as (
    update identity_history h
    set identifiers = (
            select jsonb_agg(i.one)
            from jsonb_array_elements(h.identifiers) as i (one)
            where not (i.one ->> 'kind' = %(kind)s and i.one ->> 'value' = %(value)s)
        ),
        by = (
            select jsonb_agg(i.one)
            from jsonb_array_elements(h.by) as i (one)
            where not (i.one ->> 'kind' = %(kind)s and i.one ->> 'value' = %(value)s)
        ),
        snapshot = null
    where account_id = %(account_id)s
      and contact_id in (
          select part from parts_of(%(account_id)s::integer, array[%(contact_id)s::bigint])
      )
      and (
          coalesce(identifiers, '[]') || coalesce(by, '[]') @> jsonb_build_array(
              jsonb_build_object('kind', %(kind)s::text, 'value', %(value)s::text)
          )
          or strpos(snapshot::text, to_json(%(value)s::text)::text) > 0
      )
    returning h.contact_id
)
insert into change (account_id, at, contact_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(distinct contact_id)
from forgotten
having count(*) > 0
