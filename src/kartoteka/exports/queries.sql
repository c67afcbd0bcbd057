-- name: insert_export
-- A new export; unique by name, and by the place that it writes to together with its data sets (checked
-- by places_in_use under the same lock).
insert into export (
    account_id, uid, name, target, place, settings, secret, datasets, options, columns_version, interval_s,
    state, next_at, created_at, changed_at
)
values (
    %(account_id)s, %(uid)s, %(name)s, %(target)s, %(place)s, %(settings)s::jsonb, %(secret)s::bytea,
    %(datasets)s::text[], %(options)s::jsonb, %(columns_version)s, %(interval_s)s, %(state)s, %(at)s, %(at)s,
    %(at)s
)
returning export_id

-- name: lock_exports
-- One at a time decides which places are free.
select pg_advisory_xact_lock(hashtextextended('kartoteka exports', 0))

-- name: places_in_use
-- Exports that write some of these data sets to this place, of any account.
select account_id, export_id, name
from export
where place = %(place)s
  and datasets && %(datasets)s::text[]
  and not (account_id = %(account_id)s and export_id = %(export_id)s)

-- name: exports
-- Exports of an account, by id; primary key.
select account_id, export_id, uid, name, target, settings, secret, datasets, options, columns_version,
       interval_s, state, marks, pending, failures, alerted_at, next_at, created_at, changed_at
from export
where account_id = %(account_id)s
  and (%(export_id)s::bigint is null or export_id = %(export_id)s)
order by export_id
limit %(limit)s
offset %(skip)s

-- name: count_exports
-- How many there are; primary key.
select count(*) from export where account_id = %(account_id)s

-- name: find_by_name
-- The export of that name; index export_by_name.
select export_id from export where account_id = %(account_id)s and name = %(name)s

-- name: change_export
-- What a PATCH changes. Another place or other data sets begin anew: their marks are dropped.
update export
set name = %(name)s, place = %(place)s, settings = %(settings)s::jsonb, secret = %(secret)s::bytea,
    datasets = %(datasets)s::text[], options = %(options)s::jsonb, columns_version = %(columns_version)s,
    interval_s = %(interval_s)s, state = %(state)s, next_at = %(next_at)s, failures = %(failures)s,
    marks = case when %(anew)s then '{}'::jsonb else marks end,
    pending = case when %(anew)s then '{}'::jsonb else pending end,
    changed_at = %(at)s
where account_id = %(account_id)s
  and export_id = %(export_id)s

-- name: delete_export
-- Forget an export; its tables stay where they are.
delete from export where account_id = %(account_id)s and export_id = %(export_id)s

-- name: delete_runs
-- With its history.
delete from export_run where account_id = %(account_id)s and export_id = %(export_id)s

-- name: queued_run
-- A run that waits; index export_run_to_do.
select run_id
from export_run
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and state = 'queued'

-- name: insert_run
-- Ask for a run.
insert into export_run (account_id, export_id, state, by, "full", created_at)
values (%(account_id)s, %(export_id)s, 'queued', %(by)s, %(full)s, %(at)s)
returning run_id

-- name: widen_run
-- The run that waits is to be a full one.
update export_run
set "full" = true
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and run_id = %(run_id)s
  and state = 'queued'

-- name: announce_run
-- Wakes who carries exports out.
notify kartoteka_exports

-- name: runs
-- Runs of an export, the newest first; primary key.
select run_id, export_id, state, by, "full", attempts, datasets, rows, bytes, error, code, created_at,
       started_at, finished_at
from export_run
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and (%(run_id)s::bigint is null or run_id = %(run_id)s)
order by run_id desc
limit %(limit)s
offset %(skip)s

-- name: last_runs
-- The newest run of each of these exports; primary key, once for each.
select run.*
from unnest(%(export_ids)s::bigint[]) as asked (export_id)
cross join lateral (
    select run_id, export_id, state, by, "full", attempts, datasets, rows, bytes, error, code, created_at,
           started_at, finished_at
    from export_run r
    where r.account_id = %(account_id)s
      and r.export_id = asked.export_id
    order by r.run_id desc
    limit 1
) as run

-- name: count_runs
-- How many there are; primary key.
select count(*) from export_run where account_id = %(account_id)s and export_id = %(export_id)s

-- name: due_exports
-- Exports that a run waits for or is under way of, and those whose time has come; index
-- export_run_to_do, export_by_next.
select account_id, export_id, min(since) as since
from (
    select r.account_id, r.export_id, r.created_at as since
    from export_run r
    where r.state in ('queued', 'running')
    union all
    select account_id, export_id, next_at
    from export
    where state = 'active'
      and next_at <= %(now)s
) as due
group by account_id, export_id
order by since

-- name: next_run
-- The run to carry out: one that was under way when its process ended, else the oldest that waits.
select run_id
from export_run
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and state in ('queued', 'running')
order by state = 'running' desc, run_id
limit 1

-- name: start_run
-- It is ours now: whoever had it before finds another number of attempts.
update export_run
set state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, %(at)s)
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and run_id = %(run_id)s
  and state in ('queued', 'running')
returning attempts, "full", by

-- name: keep_progress
-- How far it is.
update export_run
set datasets = %(datasets)s::jsonb, rows = %(rows)s, bytes = %(bytes)s
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and run_id = %(run_id)s
  and attempts = %(attempts)s
  and state = 'running'

-- name: keep_pending
-- The target is about to commit this mark; nothing is answered when the run is not ours any more.
update export e
set pending = jsonb_set(e.pending, array[%(dataset)s::text], to_jsonb(%(mark)s::text))
from export_run r
where e.account_id = %(account_id)s
  and e.export_id = %(export_id)s
  and r.account_id = %(account_id)s
  and r.export_id = %(export_id)s
  and r.run_id = %(run_id)s
  and r.attempts = %(attempts)s
  and r.state = 'running'
returning 1

-- name: keep_mark
-- The target has committed this mark.
update export e
set marks = jsonb_set(e.marks, array[%(dataset)s::text], to_jsonb(%(mark)s::text)),
    pending = e.pending - %(dataset)s::text
from export_run r
where e.account_id = %(account_id)s
  and e.export_id = %(export_id)s
  and r.account_id = %(account_id)s
  and r.export_id = %(export_id)s
  and r.run_id = %(run_id)s
  and r.attempts = %(attempts)s
  and r.state = 'running'
returning 1

-- name: end_run
-- Over, one way or another.
update export_run
set state = %(state)s, finished_at = %(at)s, error = %(error)s, code = %(code)s,
    datasets = %(datasets)s::jsonb, rows = %(rows)s, bytes = %(bytes)s
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and run_id = %(run_id)s
  and attempts = %(attempts)s
  and state = 'running'
returning 1

-- name: after_run
-- When the next one is due, and how often it failed one after the other; who changed the export meanwhile
-- said when it is due. Primary key.
update export
set next_at = %(next_at)s, failures = %(failures)s, alerted_at = %(alerted_at)s
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and changed_at = %(changed_at)s

-- name: cancel_runs
-- What waits or is under way is not wanted any more.
update export_run
set state = 'cancelled', finished_at = %(at)s
where account_id = %(account_id)s
  and export_id = %(export_id)s
  and state in ('queued', 'running')

-- name: old_runs
-- Runs that are over for long, but for the newest of each export; index export_run_by_age.
delete from export_run r
where r.finished_at < %(before)s
  and r.run_id < (
      select max(n.run_id) from export_run n
      where n.account_id = r.account_id and n.export_id = r.export_id
  )

-- name: accounts_with_changes
-- Accounts that have rows of `change`; a look-up for each by index change_by_xid.
select a.account_id
from account a
where exists (select from change c where c.account_id = a.account_id)

-- name: drop_read_changes
-- Rows of `change` that every export of the account has read, and are not fresh; index change_by_xid.
-- `fresh`: others may read on from it too, and a new export has its first mark in a moment.
with marks as (
    select pg_snapshot_xmin(m.value::pg_snapshot) as seen
    from export e
    cross join lateral jsonb_each_text(e.marks) m
    where e.account_id = %(account_id)s
      and m.value not like 'rows %%'
)
delete from change
where account_id = %(account_id)s
  and at < %(fresh)s
  and xid < coalesce((select min(seen) from marks), pg_snapshot_xmin(pg_current_snapshot()))

-- name: drop_old_changes
-- Rows that are kept for exports which do not get on; they read everything anew, because the row of
-- change_dropped tells them that they missed something.
with gone as (
    delete from change
    where account_id = %(account_id)s
      and at < %(before)s
    returning xid
),
below as (
    select ((max(xid)::text::bigint + 1)::text)::xid8 as below
    from gone
)
insert into change_dropped (account_id, below)
select %(account_id)s, below
from below
where below is not null
on conflict (account_id) do update set below = greatest(change_dropped.below, excluded.below)

-- name: export_load
-- Exports of all accounts by state, with how many keep failing; for the metrics.
select target, state, count(*), count(*) filter (where failures >= %(many)s)
from export
group by target, state
