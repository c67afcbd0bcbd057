-- name: segments
-- Segments whose name contains a text in any case, those that are called so first; primary key.
-- Rows are (id, name, type, how many there are in all).
select segment_id, name, type, count(*) over ()
from segment
where account_id = %(account_id)s
  and position(lower(%(name)s::text) in lower(name)) > 0
order by name = %(name)s::text desc, lower(name) = lower(%(name)s::text) desc, segment_id
limit %(rows)s
offset %(skip)s

-- name: count_segments
-- How many `segments` finds; primary key.
select count(*)
from segment
where account_id = %(account_id)s
  and position(lower(%(name)s::text) in lower(name)) > 0

-- name: segment
-- One segment; primary key.
select segment_id, name, type
from segment
where account_id = %(account_id)s
  and segment_id = %(segment_id)s::bigint

-- name: count_members
-- How many live contacts are in a segment: its members less those that are not live, so that only the
-- cards of the latter are looked at. Primary key, and index contact_not_live.
select (
    select count(*)
    from segment_member
    where account_id = %(account_id)s
      and segment_id = %(segment_id)s
) - (
    select count(*)
    from (select contact_id from contact where account_id = %(account_id)s and status <> 0 offset 0) c
    cross join lateral (
        select 1
        from segment_member
        where account_id = %(account_id)s
          and segment_id = %(segment_id)s
          and contact_id = c.contact_id
        limit 1
    ) m
)

-- name: members_by_id
-- One page of live members by contact id; primary key, and index contact_not_live.
select m.contact_id
from segment_member m
where m.account_id = %(account_id)s
  and m.segment_id = %(segment_id)s
  and not exists (
      select from contact c
      where c.account_id = %(account_id)s and c.contact_id = m.contact_id and c.status <> 0
  )
order by m.contact_id
limit %(rows)s
offset %(skip)s

-- name: members_by_id_descending
-- The same, the largest contact id first.
select m.contact_id
from segment_member m
where m.account_id = %(account_id)s
  and m.segment_id = %(segment_id)s
  and not exists (
      select from contact c
      where c.account_id = %(account_id)s and c.contact_id = m.contact_id and c.status <> 0
  )
order by m.contact_id desc
limit %(rows)s
offset %(skip)s

-- name: members_by_time
-- One page of live members in the order in which they joined; index segment_member_by_time. Who is not
-- live is found first (index contact_not_live) and has the order of the walk, so that a page far behind
-- is reached by walking two lists, not by a look-up a member.
with gone as materialized (
    select m.since, m.contact_id
    from (select contact_id from contact where account_id = %(account_id)s and status <> 0 offset 0) c
    cross join lateral (
        select since, contact_id
        from segment_member
        where account_id = %(account_id)s
          and segment_id = %(segment_id)s
          and contact_id = c.contact_id
        limit 1
    ) m
)
select m.contact_id
from segment_member m
where m.account_id = %(account_id)s
  and m.segment_id = %(segment_id)s
  and not exists (select from gone g where g.since = m.since and g.contact_id = m.contact_id)
order by m.since, m.contact_id
limit %(rows)s
offset %(skip)s

-- name: members_by_time_descending
-- The same, who joined last first.
with gone as materialized (
    select m.since, m.contact_id
    from (select contact_id from contact where account_id = %(account_id)s and status <> 0 offset 0) c
    cross join lateral (
        select since, contact_id
        from segment_member
        where account_id = %(account_id)s
          and segment_id = %(segment_id)s
          and contact_id = c.contact_id
        limit 1
    ) m
)
select m.contact_id
from segment_member m
where m.account_id = %(account_id)s
  and m.segment_id = %(segment_id)s
  and not exists (select from gone g where g.since = m.since and g.contact_id = m.contact_id)
order by m.since desc, m.contact_id desc
limit %(rows)s
offset %(skip)s

-- name: part_of_members
-- The last contact id of the next part of a segment, whoever they are; primary key.
select max(contact_id)
from (
    select contact_id
    from segment_member
    where account_id = %(account_id)s
      and segment_id = %(segment_id)s
      and contact_id > %(after)s
    order by contact_id
    limit %(rows)s
) part
