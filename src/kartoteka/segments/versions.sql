-- name: keep_version
-- What the segment means from now on, as its next version; the newest two hundred stay. Primary key.
with last as (
    select coalesce(max(number), 0) as number
    from segment_definition
    where account_id = %(account_id)s
      and segment_id = %(segment_id)s
), gone as (
    delete from segment_definition d
    using last
    where d.account_id = %(account_id)s
      and d.segment_id = %(segment_id)s
      and d.number <= last.number - 199
)
insert into segment_definition (account_id, segment_id, number, at, who, condition, exclude, resolved)
select %(account_id)s, %(segment_id)s, number + 1, %(at)s, %(who)s, %(condition)s::jsonb,
       %(exclude)s::jsonb, %(resolved)s::jsonb
from last

-- name: kept_versions
-- What the segment meant, the newest first; primary key.
select number, at, who, condition, exclude, resolved
from segment_definition
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
  and (%(number)s::integer is null or number = %(number)s::integer)
order by number desc
limit %(rows)s

-- name: forget_versions
-- Of a segment that is deleted; primary key.
delete from segment_definition
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
