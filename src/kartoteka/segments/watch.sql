-- name: segment_epoch
-- By which definitions this transaction writes: the version that its snapshot sees; primary key.
select segment_epoch
from account
where account_id = %(account_id)s

-- name: watched_versions
-- Versions that writers keep exact, and whether anybody wants to hear of changed cards; primary keys.
select v.version_id, v.segment_id, v.state, v.resolved
from segment_version v
where v.account_id = %(account_id)s
  and v.state <> 'old'
order by v.version_id

-- name: has_webhook
-- Whether changes of cards are to be told; primary key.
select exists (select from webhook where account_id = %(account_id)s and enabled)

-- name: enter_segment_gate
-- Whoever changes definitions waits for those who write by them, and is not overtaken by more of them.
select pg_advisory_xact_lock_shared(83, %(account_id)s::integer)

-- name: hold_segment_epoch
-- The definitions are still the same when this commits: if they changed since the snapshot, 40001.
select segment_epoch
from account
where account_id = %(account_id)s
for share

-- name: flip_segments
-- Contacts that versions hold from now on, and those that they hold no longer, and what happened to
-- contacts, told; primary key of segment_match. Rows that say *not* give way. For exports the batch
-- itself notes these cards.
with gone as (
    delete from segment_match m
    using unnest(%(left)s::bigint[], %(who_left)s::bigint[]) as d (version_id, contact_id)
    cross join lateral (
        select ctid
        from segment_match
        where account_id = %(account_id)s::integer
          and version_id = d.version_id
          and contact_id between d.contact_id and d.contact_id
        order by contact_id  -- so that each is looked up by its key, in a young table too
        limit 1
    ) l
    where m.account_id = %(account_id)s::integer
      and m.ctid = l.ctid
), come as (
    insert into segment_match (account_id, version_id, contact_id, since)
    select %(account_id)s::integer, version_id, contact_id, %(at)s::timestamptz
    from unnest(%(entered)s::bigint[], %(who_entered)s::bigint[]) as d (version_id, contact_id)
    on conflict (account_id, version_id, contact_id) do update
    set since = excluded.since
    where segment_match.since = 'infinity'
)
insert into happening (account_id, at, kind, contact_id, segment_id, other_id)
select %(account_id)s::integer, %(at)s::timestamptz, kind, contact_id, segment_id, other_id
from unnest(
    %(kind)s::smallint[], %(contact_id)s::bigint[], %(segment_id)s::integer[], %(other_id)s::bigint[]
) as d (kind, contact_id, segment_id, other_id)

-- name: mark_segments
-- What writers say while a version is filled; `since` infinity says *not* in it. Primary key.
insert into segment_match (account_id, version_id, contact_id, since)
select %(account_id)s::integer, version_id, contact_id,
       case when holds then %(at)s::timestamptz else 'infinity' end
from unnest(%(version_id)s::bigint[], %(contact_id)s::bigint[], %(holds)s::boolean[])
    as d (version_id, contact_id, holds)
on conflict (account_id, version_id, contact_id) do update
set since = excluded.since
where (segment_match.since = 'infinity') <> (excluded.since = 'infinity')

-- name: members_in_range
-- Who will leave a list that is emptied in part; primary key.
select m.contact_id
from unnest(%(segment_id)s::integer[], %(first)s::bigint[], %(last)s::bigint[])
    as d (segment_id, first_id, last_id)
cross join lateral (
    select contact_id
    from segment_member
    where account_id = %(account_id)s
      and segment_id = d.segment_id
      and contact_id between d.first_id and d.last_id
    order by contact_id
) m

-- name: touch_emptied
-- Cards that leave a list although nobody named them; primary key.
update contact
set version = version + 1
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: contacts_of_owners
-- Whose activity it is before this batch; see `contacts_of`.
select contact_id
from contacts_of(%(account_id)s::integer, %(owners)s::bigint[])

-- name: touch_active
-- Cards whose activity changes: who evaluates them at this moment by what was before must run again.
update contact
set version = version + 1
where account_id = %(account_id)s
  and contact_id = any(
      %(ids)s::bigint[]
      || array(select contact_id from contacts_of(%(account_id)s::integer, %(owners)s::bigint[]))
  )
  and status = 0
