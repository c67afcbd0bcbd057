-- name: lock_partitions
-- Held until the transaction ends: one process makes partitions at a time.
select pg_advisory_xact_lock(%(lock)s::bigint)

-- name: is_there
-- Whether this partition exists.
select to_regclass(%(name)s) is not null
