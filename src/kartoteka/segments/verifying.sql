-- name: serving_versions
-- Versions that answer who is in a segment; primary keys.
select s.name, v.version_id, v.segment_id, v.resolved
from segment s
join segment_version v
  on v.account_id = %(account_id)s
 and v.version_id = s.version_id
where s.account_id = %(account_id)s
order by s.segment_id

-- name: matches
-- Everybody in a version; primary key.
select contact_id
from segment_match
where account_id = %(account_id)s
  and version_id = %(version_id)s

-- name: due
-- Whom the clock is about to ask again; primary key.
select contact_id
from segment_moment
where account_id = %(account_id)s
  and version_id = %(version_id)s
  and at <= %(now)s
