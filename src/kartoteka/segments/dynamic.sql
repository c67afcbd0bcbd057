-- name: close_segment_gate
-- Wait for those who write by the present definitions, and let no more of them in; see watch.sql.
select pg_advisory_xact_lock(83, %(account_id)s::integer)

-- name: read_epoch
-- Which definitions stand now; primary key.
select segment_epoch
from account
where account_id = %(account_id)s

-- name: next_segment_epoch
-- From here on the definitions are others; primary key.
update account
set segment_epoch = segment_epoch + 1
where account_id = %(account_id)s

-- name: count_contacts
-- About how many contacts a filling has to look at; primary key.
select count(*)
from contact
where account_id = %(account_id)s

-- name: count_dynamic
-- How many segments with conditions the account has; primary key.
select count(*)
from segment
where account_id = %(account_id)s
  and type <> 'Static'

-- name: add_segment
-- A segment with conditions.
insert into segment (account_id, name, type, created_at, purpose, tags)
values (%(account_id)s, %(name)s, %(type)s, %(at)s, %(purpose)s, %(tags)s::text[])
returning segment_id

-- name: add_list
-- A list that did not exist; index segment_static_name.
insert into segment (account_id, name, type, created_at, purpose, tags)
values (%(account_id)s, %(name)s, 'Static', %(at)s, %(purpose)s, %(tags)s::text[])
on conflict (account_id, name) where type = 'Static' do nothing
returning segment_id

-- name: add_version
-- A definition that is to be filled.
insert into segment_version (
    account_id, segment_id, state, condition, exclude, resolved, expected, created_at
)
values (
    %(account_id)s, %(segment_id)s, 'filling', %(condition)s::jsonb, %(exclude)s::jsonb,
    %(resolved)s::jsonb, %(expected)s, %(at)s
)
returning version_id

-- name: name_segment
-- Name, purpose, tags and type; primary key.
update segment
set name = %(name)s, purpose = %(purpose)s, tags = %(tags)s::text[], type = %(type)s
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
returning segment_id

-- name: retire_versions
-- Versions of a segment that are not wanted any more: all but the one that serves, or all.
update segment_version v
set state = 'old'
from segment s
where v.account_id = %(account_id)s
  and v.segment_id = %(segment_id)s
  and s.account_id = %(account_id)s
  and s.segment_id = %(segment_id)s
  and (%(all)s::boolean or v.version_id is distinct from s.version_id)

-- name: leave_segment_to_jobs
-- Deleting takes its contacts along, which takes a while; primary key.
update segment
set leaving = %(leaving)s
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
returning segment_id

-- name: delete_segment
-- The segment or list itself, noted for exports; primary key.
with gone as (
    delete from segment
    where account_id = %(account_id)s
      and segment_id = %(segment_id)s
    returning segment_id
), noted as (
    insert into change (account_id, at, segment_ids)
    select %(account_id)s::integer, %(at)s::timestamptz, array_agg(segment_id)
    from gone
    having count(*) > 0
)
select segment_id from gone

-- name: delete_list_members
-- Who was on a list that is deleted; primary key.
delete from segment_member
where account_id = %(account_id)s
  and segment_id = %(segment_id)s

-- name: stored_segments
-- Segments whose name or tag contains a text, or the one of an id, with their newest definition; primary
-- keys and segment_version_by_segment. A segment that is being deleted is still there, marked so.
select s.segment_id, s.name, s.type, s.purpose, s.tags, s.created_at, s.leaving, s.version_id,
       v.condition, v.exclude, v.resolved, v.state, v.version_id, v.seen, v.expected, v.filled_at,
       w.resolved, count(*) over ()
from segment s
left join lateral (
    select *
    from segment_version x
    where x.account_id = %(account_id)s
      and x.segment_id = s.segment_id
      and x.state <> 'old'
    order by x.version_id desc
    limit 1
) v on true
left join segment_version w
  on w.account_id = %(account_id)s
 and w.version_id = s.version_id
where s.account_id = %(account_id)s
  and (%(segment_id)s::integer is null or s.segment_id = %(segment_id)s::integer)
  and (
      position(lower(%(text)s::text) in lower(s.name)) > 0
      or exists (select from unnest(s.tags) as t where lower(t) = lower(%(text)s::text))
  )
  and (%(type)s::text is null or s.type = %(type)s::text)
order by s.segment_id
limit %(rows)s
offset %(skip)s

-- name: nameable_segments
-- What conditions may name: id, name, and of dynamic ones the newest conditions; primary keys.
select s.segment_id, s.name, v.resolved, v.condition, v.exclude
from segment s
left join lateral (
    select resolved, condition, exclude
    from segment_version x
    where x.account_id = %(account_id)s
      and x.segment_id = s.segment_id
      and x.state <> 'old'
    order by x.version_id desc
    limit 1
) v on true
where s.account_id = %(account_id)s
  and s.leaving is null
  and (s.type = 'Static' or v.resolved is not null)

-- name: version_to_fill
-- One version that is being filled; primary key.
select version_id, segment_id, state, resolved, filled_to
from segment_version
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and state in ('filling', 'settling')

-- name: versions_to_do
-- Versions that jobs have work with, of all accounts; index segment_version_to_do.
select account_id, version_id, state
from segment_version
where state <> 'serving'
order by account_id, version_id

-- name: set_version_state
-- From one state to the next, once; primary key.
update segment_version
set state = %(state)s
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and state = %(from)s
returning segment_id

-- name: sweep_marks
-- Marks of writers that a version no longer needs; index segment_match_by_time.
delete from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and contact_id in (
      select contact_id
      from segment_match
      where account_id = %(account_id)s
        and version_id = %(version_id)s
        and since = 'infinity'
      order by contact_id
      limit 10000
  )
  and since = 'infinity'

-- name: serve_version
-- A version that is filled takes the place of the one before, whole, noted for exports; primary keys.
with done as (
    update segment_version
    set state = 'serving', filled_at = %(at)s
    where account_id = %(account_id)s
      and version_id = %(version_id)s
      and state = 'settling'
    returning segment_id
), before as (
    update segment_version v
    set state = 'old', replaced_by = %(version_id)s, filled_at = %(at)s
    from done d, segment s
    where v.account_id = %(account_id)s
      and s.account_id = %(account_id)s
      and s.segment_id = d.segment_id
      and v.version_id = s.version_id
    returning v.version_id
), noted as (
    insert into change (account_id, at, segment_ids)
    select %(account_id)s::integer, %(at)s::timestamptz, array_agg(segment_id)
    from done
    having count(*) > 0
)
update segment s
set version_id = %(version_id)s
from done d
where s.account_id = %(account_id)s
  and s.segment_id = d.segment_id
returning s.segment_id

-- name: old_version
-- A version that is to go, and which one took its place; primary key.
select version_id, segment_id, replaced_by, told_to, filled_at
from segment_version
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and state = 'old'

-- name: tell_entered
-- A definition was edited: who is in the new version and was not in the old one, a part at a time;
-- primary key. Who came later than that was told by whoever brought them in. Row: last contact id.
with part as materialized (
    select max(x.contact_id) as last
    from (
        select contact_id
        from segment_match
        where account_id = %(account_id)s
          and version_id = %(new)s
          and contact_id > %(after)s
        order by contact_id
        limit 10000
    ) x
), step as (
    update segment_version
    set told_to = part.last
    from part
    where account_id = %(account_id)s
      and version_id = %(old)s
      and told_to = %(after)s
      and part.last is not null
    returning version_id
), told as (
    insert into happening (account_id, at, kind, contact_id, segment_id)
    select %(account_id)s::integer, %(at)s::timestamptz, 1, n.contact_id, %(segment_id)s::integer
    from segment_match n, part p, step s
    where n.account_id = %(account_id)s
      and n.version_id = %(new)s
      and n.contact_id > %(after)s
      and n.contact_id <= p.last
      and n.since <= %(swapped)s
      and not exists (
          select from segment_match o
          where o.account_id = %(account_id)s
            and o.version_id = %(old)s
            and o.contact_id = n.contact_id
      )
)
select p.last from part p, step s

-- name: drop_matches
-- A part of a version that is to go; who is not in the one that took its place is told to have left.
-- Primary key. Row: how many there were.
with gone as (
    delete from segment_match
    where account_id = %(account_id)s
      and version_id = %(old)s
      and contact_id in (
          select contact_id
          from segment_match
          where account_id = %(account_id)s
            and version_id = %(old)s
          order by contact_id
          limit 10000
      )
    returning contact_id
), told as (
    insert into happening (account_id, at, kind, contact_id, segment_id)
    select %(account_id)s::integer, %(at)s::timestamptz, 2, g.contact_id, %(segment_id)s::integer
    from gone g
    where %(new)s::bigint is not null
      and not exists (
          select from segment_match n
          where n.account_id = %(account_id)s
            and n.version_id = %(new)s::bigint
            and n.contact_id = g.contact_id
      )
      and not exists (
          select from happening h
          where h.account_id = %(account_id)s
            and h.contact_id = g.contact_id
            and h.segment_id = %(segment_id)s::integer
            and h.at > %(swapped)s::timestamptz
            and h.kind = 2
      )
)
select count(*) from gone

-- name: drop_moments
-- A part of the moments of a version that is to go; primary key.
delete from segment_moment
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and contact_id in (
      select contact_id
      from segment_moment
      where account_id = %(account_id)s
        and version_id = %(version_id)s
      order by contact_id
      limit 10000
  )

-- name: drop_version
-- The version itself; primary key.
delete from segment_version
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and state = 'old'

-- name: segments_to_leave
-- Segments that are being deleted, of all accounts.
select account_id, segment_id, version_id, type
from segment
where leaving is not null

-- name: next_moment
-- When time next changes somebody's membership; index segment_moment_due.
select min(at)
from segment_moment
where account_id = %(account_id)s

-- name: due_moments
-- Whose moment has come; index segment_moment_due.
select version_id, contact_id
from segment_moment
where account_id = %(account_id)s
  and at <= %(now)s
order by at
limit %(rows)s

-- name: forget_moments
-- Moments that nothing comes of any more: their version is gone; primary key.
delete from segment_moment m
using unnest(%(version_id)s::bigint[], %(contact_id)s::bigint[]) as d (version_id, contact_id)
where m.account_id = %(account_id)s
  and m.version_id = d.version_id
  and m.contact_id = d.contact_id

-- name: lock_contacts
-- Whoever writes these cards waits, and then sees that they are others; primary key.
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
order by contact_id
for update

-- name: touch_contacts
-- What belongs to these cards changed: who decided on what was before must run again (design/engine.md).
update contact
set version = version + 1
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: accounts_with_moments
-- Accounts in which time may change something; primary keys.
select a.account_id
from account a
where exists (select from segment_moment m where m.account_id = a.account_id)

-- name: match_page
-- One page of a version by contact id; primary key.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
order by contact_id
limit %(rows)s
offset %(skip)s

-- name: match_page_descending
-- The same, the largest contact id first.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
order by contact_id desc
limit %(rows)s
offset %(skip)s

-- name: match_page_by_time
-- One page in the order in which they came; index segment_match_by_time.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
order by since, contact_id
limit %(rows)s
offset %(skip)s

-- name: match_page_by_time_descending
-- The same, who came last first.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
order by since desc, contact_id desc
limit %(rows)s
offset %(skip)s

-- name: count_matches
-- How many a version has; primary key.
select count(*)
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s

-- name: happenings
-- Who entered or left a segment between two moments, by time; index happening_by_segment.
select happening_id, at, kind, contact_id, count(*) over ()
from happening
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
  and at >= %(begin)s
  and at < %(end)s
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s::bigint)
order by at, happening_id
limit %(rows)s
offset %(skip)s

-- name: growth
-- How many entered and left a segment each day (UTC); index happening_by_segment.
select date_trunc('day', at, 'UTC') as day,
       count(*) filter (where kind = 1), count(*) filter (where kind = 2)
from happening
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
  and at >= %(begin)s
group by day
order by day

-- name: is_match
-- Since when a contact is in a version; primary key.
select since
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and contact_id = %(contact_id)s

-- name: whole_card
-- A card with all that conditions read of it besides activity; primary keys.
select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, contact_key,
       language_code, time_zone, region, town, address, postcode, fields, consent, source, keyed,
       created_at, updated_at, removed_at, merged_into, merges, last_word, proof,
       array(
           select jsonb_build_array(i.kind, i.app)
           from identifier i
           where i.account_id = %(account_id)s
             and i.contact_id = c.contact_id
       ),
       array(
           select m.segment_id
           from segment_member m
           where m.account_id = %(account_id)s
             and m.contact_id = c.contact_id
       )
from contact c
where account_id = %(account_id)s
  and contact_id = %(contact_id)s

-- name: snapshot_members
-- A part of a version onto a list, by contact id; primary keys. Row: last contact id.
with part as materialized (
    select contact_id
    from segment_match
    where account_id = %(account_id)s
      and version_id = %(version_id)s
      and contact_id > %(after)s
    order by contact_id
    limit 10000
), put as (
    insert into segment_member (account_id, segment_id, contact_id, since)
    select %(account_id)s::integer, %(segment_id)s::integer, contact_id, %(at)s::timestamptz
    from part
    on conflict (account_id, segment_id, contact_id) do nothing
), noted as (
    insert into change (account_id, at, contact_ids)
    select %(account_id)s::integer, %(at)s::timestamptz, array_agg(contact_id)
    from part
    having count(*) > 0
)
select max(contact_id) from part

-- name: live_members_after
-- The next live contacts of a list; primary keys.
select m.contact_id
from segment_member m
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = m.contact_id
where m.account_id = %(account_id)s
  and m.segment_id = %(segment_id)s
  and m.contact_id > %(after)s
  and c.status = 0
order by m.contact_id
limit %(rows)s

-- name: matches_after
-- The next contacts of a version; primary key.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and contact_id > %(after)s
order by contact_id
limit %(rows)s
