-- name: count_since
-- Events and visits of an account in a stretch of time, counted up to so many; primary key, and of the
-- partitions only those of that time.
select
    count(*) filter (where kind = 0) as events,
    count(*) filter (where kind = 1) as visits,
    count(*) as counted
from (
    select kind
    from event
    where account_id = %(account_id)s
      and occurred >= %(since)s
      and occurred < %(until)s
    limit %(most)s
) as lately

-- name: last_visits
-- Where the latest visits were, newest first, among so many of the latest events; primary key backwards.
select occurred, coalesce(params ->> 'url', '')
from (
    select kind, occurred, params
    from event
    where account_id = %(account_id)s
      and occurred <= %(until)s
    order by occurred desc
    limit %(most)s
) as lately
where kind = 1
order by occurred desc
