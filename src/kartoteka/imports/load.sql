-- name: imports_to_do
-- Imports that wait or are under way, by source and state, and since when; index import_to_do.
select source, state, count(*), min(created_at)
from (
    select source, state, created_at
    from import
    where state in ('queued', 'running')
    limit %(most)s
) i
group by source, state
order by source, state

-- name: rows_under_way
-- Rows by outcome of the imports under way, in the order of OUTCOMES; index import_to_do, primary key.
select sum(n)::bigint
from (
    select account_id, import_id
    from import
    where state = 'running'
    limit %(most)s
) i
join import_batch b using (account_id, import_id)
cross join unnest(b.counts) with ordinality as c (n, place)
group by place
order by place
