-- name: stored_segments
-- Segments whose name contains a text, or that have it as a tag or id, or the one of an id, with their newest definition; primary
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
      or s.segment_id::text = %(text)s::text
  )
  and (%(type)s::text is null or s.type = %(type)s::text)
order by s.segment_id
limit %(rows)s
offset %(skip)s

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
select happening_id, at, kind, contact_id
from happening
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
  and at >= %(begin)s
  and at < %(end)s
order by at, happening_id
limit %(rows)s
offset %(skip)s

-- name: latest_happenings
-- Who entered or left a segment last; the end of index happening_by_segment.
select happening_id, at, kind, contact_id
from happening
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
order by at desc, happening_id desc
limit %(rows)s

-- name: count_happenings
-- How many those are; index happening_by_segment alone.
select count(*)
from happening
where account_id = %(account_id)s
  and segment_id = %(segment_id)s
  and at >= %(begin)s
  and at < %(end)s

-- name: happenings_of_contact
-- The same of one contact; index happening_by_contact.
select happening_id, at, kind, contact_id
from happening
where account_id = %(account_id)s
  and contact_id = %(contact_id)s
  and segment_id = %(segment_id)s
  and at >= %(begin)s
  and at < %(end)s
order by at, happening_id
limit %(rows)s
offset %(skip)s

-- name: count_happenings_of_contact
-- How many those are; index happening_by_contact.
select count(*)
from happening
where account_id = %(account_id)s
  and contact_id = %(contact_id)s
  and segment_id = %(segment_id)s
  and at >= %(begin)s
  and at < %(end)s

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
