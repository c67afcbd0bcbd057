-- name: erase_retired
-- Cards that were merged into erased ones are the same person: empty rows too; index contact_by_survivor.
with gone as (
    update contact c
    set status = 3, version = version + 1
    where c.account_id = %(account_id)s
      and c.contact_id = any(array(select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])))
      and c.status = 2
    returning c.contact_id
)
insert into change (account_id, at, contact_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(contact_id)
from gone
having count(*) > 0

-- name: erase_history
-- Values leave the history of erased persons; that something happened, and why, stays.
update identity_history
set identifiers = null, snapshot = null, by = null
where account_id = %(account_id)s
  and contact_id = any(array(select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])))
  and (identifiers is not null or snapshot is not null or by is not null)

-- name: erase_values_elsewhere
-- What erased persons held and others held before them leaves the others' history, and what its rows rest
-- on, unless they hold it now: everyone reached from the erased cards through moves; both indexes by contact.
with touched as (
    select h.history_id, k.identifiers, k.by, k.identifiers is distinct from h.identifiers as is_other
    from (
        select history_id, contact_id, identifiers, by
        from identity_history
        where account_id = %(account_id)s
          and contact_id = any(array(select contact_id from reached_by_moves(%(account_id)s::integer, %(ids)s::bigint[])))
        offset 0
    ) h
    cross join lateral (
        select without_erased(%(account_id)s::integer, h.contact_id, h.identifiers, %(kind)s::smallint[],
                              %(name)s::text[], %(value)s::text[], %(value_key)s::text[]) as identifiers,
               without_erased(%(account_id)s::integer, h.contact_id, h.by, %(kind)s::smallint[],
                              %(name)s::text[], %(value)s::text[], %(value_key)s::text[]) as by
    ) k
    where k.identifiers is distinct from h.identifiers
       or k.by is distinct from h.by
),
cleaned as (
    update identity_history h
    set identifiers = t.identifiers,
        by = t.by,
        snapshot = case when t.is_other then null else h.snapshot end
    from touched t
    where h.account_id = %(account_id)s
      and h.history_id = any(array(select history_id from touched))
      and h.history_id = t.history_id
    returning h.contact_id, t.is_other
)
insert into change (account_id, at, contact_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(distinct contact_id)
from cleaned
where is_other
having count(*) > 0

-- name: erase_snapshots_elsewhere
-- What erased persons held leaves what is kept of others' merges too, unless they hold it now: such a
-- merge cannot be undone any more. The same way around as above.
update identity_history h
set snapshot = null
where h.account_id = %(account_id)s
  and h.contact_id = any(array(select contact_id from reached_by_moves(%(account_id)s::integer, %(ids)s::bigint[])))
  and h.snapshot is not null
  and exists (
      select from unnest(%(kind)s::smallint[], %(value)s::text[], %(value_key)s::text[])
          as g (kind, value, value_key)
      where g.value <> ''
        and strpos(h.snapshot::text, to_json(g.value)::text) > 0
        and not exists (
            select from identifier r
            where r.account_id = %(account_id)s
              and r.kind = g.kind
              and r.value_key = g.value_key
              and r.contact_id = h.contact_id
            order by r.ordinal
            offset 0
        )
  )

-- name: erase_members
-- Lists of erased persons; index segment_member_by_contact.
delete from segment_member
where account_id = %(account_id)s
  and contact_id = any(array(select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])))

-- name: erase_replays
-- Stored answers that name erased persons; index replay_by_contact.
delete from replay
where account_id = %(account_id)s
  and contact_id = any(array(select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])))

-- name: erase_import_rows
-- Statements of imports: that a row came to an erased person stays, its value goes; index
-- import_row_by_contact.
update import_row
set value = null
where account_id = %(account_id)s
  and contact_id = any(array(select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])))
  and value is not null

-- name: erase_tokens
-- Access tokens of erased persons; index access_token_by_contact.
delete from access_token
where account_id = %(account_id)s
  and contact_id = any(array(select part from parts_of(%(account_id)s::integer, %(ids)s::bigint[])))
