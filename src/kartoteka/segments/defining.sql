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

-- name: zone_of_account
-- (its time zone, whether the database knows it); primary key.
select z.name, z.name = 'UTC' or exists (select from pg_timezone_names n where n.name = z.name)
from account a
cross join lateral (select coalesce(a.settings ->> 'time_zone', 'UTC') as name) z
where a.account_id = %(account_id)s

-- name: segments_of_other_zones
-- Segments whose newest definition reads dates in another zone than their account does now.
select s.account_id, s.segment_id
from segment s
join account a on a.account_id = s.account_id
cross join lateral (
    select resolved
    from segment_version x
    where x.account_id = s.account_id
      and x.segment_id = s.segment_id
      and x.state <> 'old'
    order by x.version_id desc
    limit 1
) v
where s.type <> 'Static'
  and s.leaving is null
  and coalesce(v.resolved ->> 'zone', 'UTC') <> coalesce(a.settings ->> 'time_zone', 'UTC')
