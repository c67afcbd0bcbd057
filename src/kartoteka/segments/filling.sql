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
-- A part of a version that is to go; who is not in the one that took its place is told to have left,
-- unless whoever took them out of that one told it. Primary key, and index happening_by_segment.
-- Row: how many there were.
with gone as (
    delete from segment_match
    where account_id = %(account_id)s
      and version_id = %(old)s
      and contact_id <= (
          select max(contact_id)
          from (
              select contact_id
              from segment_match
              where account_id = %(account_id)s
                and version_id = %(old)s
              order by contact_id
              limit 10000
          ) part
      )
    returning contact_id
), known as materialized (
    select contact_id
    from happening
    where account_id = %(account_id)s
      and segment_id = %(segment_id)s::integer
      and at > %(swapped)s::timestamptz
      and kind = 2
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
      and not exists (select from known k where k.contact_id = g.contact_id)
)
select count(*) from gone

-- name: drop_moments
-- A part of the moments of a version that is to go; primary key.
delete from segment_moment
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and contact_id <= (
      select max(contact_id)
      from (
          select contact_id
          from segment_moment
          where account_id = %(account_id)s
            and version_id = %(version_id)s
          order by contact_id
          limit 10000
      ) part
  )

-- name: drop_version
-- The version itself; primary key.
delete from segment_version
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and state = 'old'
