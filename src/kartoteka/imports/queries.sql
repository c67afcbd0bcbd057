-- name: insert_import
-- A new import; its id. The same file again is known while the first one is still under way.
insert into import (
    account_id, session_id, source, state, rules, options, dry_run, file, digest, same_as, key_id, request_id,
    method, total, created_at, changed_at
)
select %(account_id)s::integer, %(session_id)s, %(source)s, 'queued', %(rules)s::jsonb, %(options)s::jsonb,
       %(dry_run)s::boolean, %(file)s::jsonb, %(digest)s::text,
       (
           select max(import_id)
           from import
           where account_id = %(account_id)s
             and digest = %(digest)s::text
             and state <> 'cancelled'
             and not dry_run
       ),
       %(key_id)s::bigint, %(request_id)s, %(method)s, %(total)s::bigint,
       %(at)s::timestamptz, %(at)s::timestamptz
returning import_id

-- name: insert_payload
-- The rows of a bulk call while they wait.
insert into import_payload (account_id, import_id, rows)
values (%(account_id)s::integer, %(import_id)s::bigint, %(rows)s::bytea)

-- name: announce_import
-- Wakes the runners.
select pg_notify('kartoteka_imports', '')

-- name: imports
-- Imports of an account, the newest first, with their progress out of import_batch.
select i.account_id, i.import_id, i.session_id, i.source, i.state, i.rules, i.options, i.dry_run, i.file,
       i.same_as, i.total, i.counts, i.error, i.created_at, i.started_at, i.finished_at, i.changed_at,
       i.key_id, i.request_id, i.method, b.sums, r.recent
from import i
left join lateral (
    select array_agg(n order by place) as sums
    from (
        select place, sum(n)::bigint as n
        from import_batch b
        cross join unnest(b.counts) with ordinality as c (n, place)
        where b.account_id = i.account_id
          and b.import_id = i.import_id
          and i.counts is null
        group by place
    ) s
) b on true
left join lateral (
    select sum(last_row - first_row + 1)::bigint as recent
    from import_batch b
    where b.account_id = i.account_id
      and b.import_id = i.import_id
      and b.at > %(recent)s::timestamptz
      and i.counts is null
) r on true
where i.account_id = %(account_id)s
  and (%(import_id)s::bigint is null or i.import_id = %(import_id)s::bigint)
  and (%(session_id)s::text is null or i.session_id = %(session_id)s::text)
order by i.import_id desc
limit %(limit)s offset %(skip)s

-- name: count_imports
-- How many imports an account has.
select count(*) from import where account_id = %(account_id)s

-- name: import_counts
-- Rows by outcome, in the order of OUTCOMES, out of the batches.
select sum(n)::bigint
from import_batch b
cross join unnest(b.counts) with ordinality as c (n, place)
where b.account_id = %(account_id)s
  and b.import_id = %(import_id)s
group by place
order by place

-- name: import_rows
-- A page of the statement by row number; primary key.
select row_number, outcome, contact_id, value, notes
from import_row
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and row_number > %(after)s::bigint
order by row_number
limit %(limit)s offset %(skip)s

-- name: import_rows_usual
-- The same of one outcome that most rows have; primary key.
select row_number, outcome, contact_id, value, notes
from import_row
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and outcome = %(outcome)s::smallint
  and row_number > %(after)s::bigint
order by row_number
limit %(limit)s offset %(skip)s

-- name: import_rows_unusual
-- The same of one outcome that few rows have; index import_row_unusual.
select row_number, outcome, contact_id, value, notes
from import_row
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and outcome = %(outcome)s::smallint
  and outcome > 2
  and row_number > %(after)s::bigint
order by row_number
limit %(limit)s offset %(skip)s

-- name: import_mapping
-- Unique value and contact of the rows that came to a contact (wire 3.10).
select value, contact_id
from import_row
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and contact_id is not null
  and outcome < 5
order by row_number
limit %(limit)s

-- name: set_import_state
-- Pause, resume or cancel, if the import is in one of these states; the rows of a cancelled call go.
with changed as (
    update import
    set state = %(state)s, error = null, changed_at = %(at)s::timestamptz,
        finished_at = case when %(state)s = 'cancelled' then %(at)s::timestamptz end
    where account_id = %(account_id)s
      and import_id = %(import_id)s
      and state = any(%(states)s::text[])
    returning account_id, import_id
),
dropped as (
    delete from import_payload p
    using changed c
    where p.account_id = c.account_id
      and p.import_id = c.import_id
      and %(state)s = 'cancelled'
)
select from changed

-- name: import_lanes
-- Accounts and lanes that have something to do, the longest waiting first; calls do not wait behind
-- files; index import_to_do.
select account_id, source <> 'call' as is_file
from import
where state in ('queued', 'running')
group by account_id, source <> 'call'
order by min(changed_at)

-- name: next_import
-- The oldest import to do in a lane, but the one whose last rows are under way.
select import_id
from import
where account_id = %(account_id)s
  and state in ('queued', 'running')
  and (source <> 'call') = %(is_file)s::boolean
  and import_id is distinct from %(but)s::bigint
order by import_id
limit 1

-- name: start_import
-- It is being carried out; the time of its first start stays.
update import
set state = 'running', started_at = coalesce(started_at, %(at)s::timestamptz), changed_at = %(at)s::timestamptz
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and state in ('queued', 'running')

-- name: set_import_total
-- How many rows there are.
update import
set total = %(total)s
where account_id = %(account_id)s
  and import_id = %(import_id)s

-- name: import_state
-- Whether somebody paused or cancelled it.
select state from import where account_id = %(account_id)s and import_id = %(import_id)s

-- name: live_calls
-- Whether single calls were carried out within the last second, by any process.
select exists (
    select
    from pg_stat_activity
    where application_name = 'kartoteka live'
      and datname = current_database()
      and query_start > clock_timestamp() - interval '1 second'
)

-- name: import_done_ranges
-- Rows that have their outcome.
select first_row, last_row
from import_batch
where account_id = %(account_id)s
  and import_id = %(import_id)s
order by first_row

-- name: import_contacts
-- Contacts that rows came to, in pages by row number.
select row_number, contact_id
from import_row
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and row_number > %(after)s
  and contact_id is not null
order by row_number
limit %(limit)s

-- name: read_payload
-- The rows of a bulk call.
select rows from import_payload where account_id = %(account_id)s and import_id = %(import_id)s

-- name: end_import
-- It is over, unless somebody paused or cancelled it; the rows of a finished call go.
with ended as (
    update import
    set state = %(state)s, error = %(error)s::text, finished_at = %(at)s::timestamptz,
        changed_at = %(at)s::timestamptz, counts = %(counts)s::jsonb
    where account_id = %(account_id)s
      and import_id = %(import_id)s
      and state = any(%(states)s::text[])
    returning account_id, import_id
),
dropped as (
    delete from import_payload p
    using ended e
    where p.account_id = e.account_id
      and p.import_id = e.import_id
      and %(state)s = 'finished'
)
select from ended

-- name: drop_payload
-- The rows of a bulk call that is over.
delete from import_payload where account_id = %(account_id)s and import_id = %(import_id)s

-- name: insert_import_batch
-- These rows have their outcome, by the same transaction that wrote it.
insert into import_batch (account_id, import_id, first_row, last_row, counts, at)
values (
    %(account_id)s::integer, %(import_id)s::bigint, %(first_row)s::bigint, %(last_row)s::bigint,
    %(counts)s::integer[], %(at)s::timestamptz
)

-- name: insert_import_rows
-- The statement of one batch.
insert into import_row (account_id, import_id, row_number, outcome, contact_id, value, notes)
select %(account_id)s::integer, %(import_id)s::bigint, row_number, outcome, contact_id, value, notes::jsonb
from (
    select unnest(%(row_number)s::bigint[]) as row_number, unnest(%(outcome)s::smallint[]) as outcome,
           unnest(%(contact_id)s::bigint[]) as contact_id, unnest(%(value)s::text[]) as value,
           unnest(%(notes)s::text[]) as notes
) d

-- name: forget_import_batches
-- A dry run begins anew.
delete from import_batch where account_id = %(account_id)s and import_id = %(import_id)s

-- name: forget_import_rows
-- The statement of a dry run that begins anew, or that is older than 30 days.
delete from import_row where account_id = %(account_id)s and import_id = %(import_id)s

-- name: old_imports
-- Imports whose statement has been kept long enough; index import_by_age.
select account_id, import_id, file ->> 'path'
from import
where changed_at < %(before)s::timestamptz
  and state <> 'running'
limit 100

-- name: drop_import
-- The import itself, after its rows.
delete from import where account_id = %(account_id)s and import_id = %(import_id)s

-- name: insert_upload
-- A file that waits for its import.
insert into upload (account_id, token, file, created_at)
values (%(account_id)s::integer, %(token)s, %(file)s::jsonb, %(at)s::timestamptz)

-- name: find_upload
-- The file behind a token.
select file from upload where account_id = %(account_id)s and token = %(token)s

-- name: take_upload
-- The file passes to an import.
delete from upload where account_id = %(account_id)s and token = %(token)s returning file

-- name: old_uploads
-- Files that nobody imported within a day.
delete from upload where created_at < %(before)s::timestamptz returning file

-- name: files_in_use
-- Files that imports and uploads still need; all others in the folder are left over from a crash.
select file ->> 'path' from import where file is not null and state not in ('finished', 'cancelled')
union all
select file ->> 'path' from upload

-- name: imports_to_look_through
-- Imports that wait with rows and were not looked through since the last erase of their account.
select i.account_id, i.import_id
from import i
where i.state in ('queued', 'paused', 'failed')
  and exists (
      select
      from suppression s
      where s.account_id = i.account_id
        and (i.looked_through_at is null or s.erased_at > i.looked_through_at)
  )
order by i.account_id, i.import_id

-- name: lock_waiting_import
-- While it is looked through nobody goes on with it.
select import_id
from import
where account_id = %(account_id)s
  and import_id = %(import_id)s
  and state in ('queued', 'paused', 'failed')
for update

-- name: import_looked_through
-- Whom an erase up to this moment destroyed is not in it any more.
update import
set looked_through_at = %(at)s::timestamptz
where account_id = %(account_id)s
  and import_id = %(import_id)s

-- name: erased_among
-- Which of these identifiers are of erased persons, and of nobody who lives (D29); primary keys.
select k.kind, k.value_key
from unnest(%(kinds)s::smallint[], %(keys)s::text[], %(digests)s::bytea[]) as k (kind, value_key, digest)
where exists (
    select
    from suppression s
    where s.account_id = %(account_id)s
      and s.kind = k.kind
      and s.digest = k.digest
)
  and not exists (
    select
    from identifier i
    join contact c
      on c.account_id = %(account_id)s
     and c.contact_id = i.contact_id
     and c.status = 0
    where i.account_id = %(account_id)s
      and i.kind = k.kind
      and i.value_key = k.value_key
)

-- name: replace_payload
-- The rows of a bulk call without those of erased persons.
update import_payload
set rows = %(rows)s::bytea
where account_id = %(account_id)s
  and import_id = %(import_id)s

-- name: replace_import_file
-- The file without the rows of erased persons.
update import
set file = %(file)s::jsonb, options = %(options)s::jsonb
where account_id = %(account_id)s
  and import_id = %(import_id)s
