-- name: lock_partitions
-- Held until the transaction ends: one process makes partitions at a time.
select pg_advisory_xact_lock(%(lock)s::bigint)

-- name: is_there
-- Whether this partition exists.
select to_regclass(%(name)s) is not null

-- name: months
-- Names of the monthly partitions, from the catalogue.
select c.relname
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
where i.inhparent = to_regclass('event')
  and c.relname <> 'event_other'
order by c.relname
