-- name: find_replays
-- Stored answers under these idempotency keys; primary key.
select r.key_id, r.idempotency_key, r.digest, r.answer
from unnest(%(key_ids)s::bigint[], %(names)s::text[]) as k (key_id, name)
cross join lateral (
    select *
    from replay
    where account_id = %(account_id)s
      and key_id = k.key_id
      and idempotency_key = k.name
      and at > %(since)s::timestamptz
    limit 1
) r

-- name: store_replays
-- Answers for whoever sends the same again; one that is over 24 hours old makes room.
insert into replay (account_id, key_id, idempotency_key, digest, contact_id, answer, at)
select %(account_id)s::integer, key_id, name, digest, contact_id, answer::jsonb, at
from unnest(
    %(key_id)s::bigint[], %(name)s::text[], %(digest)s::bytea[], %(contact_id)s::bigint[],
    %(answer)s::text[], %(at)s::timestamptz[]
) as d (key_id, name, digest, contact_id, answer, at)
on conflict (account_id, key_id, idempotency_key)
do update set digest = excluded.digest, contact_id = excluded.contact_id, answer = excluded.answer,
              at = excluded.at
where replay.at < excluded.at - interval '24 hours'

-- name: find_recent
-- When these requests last came; primary key.
select r.digest, r.at
from unnest(%(digests)s::bytea[]) as k (digest)
cross join lateral (
    select *
    from recent_request
    where account_id = %(account_id)s
      and digest = k.digest
    limit 1
) r

-- name: store_recent
-- When these requests came.
insert into recent_request (account_id, digest, at)
select %(account_id)s::integer, digest, max(at)
from unnest(%(digest)s::bytea[], %(at)s::timestamptz[]) as d (digest, at)
group by digest
on conflict (account_id, digest) do update set at = excluded.at

-- name: forget_old
-- Repeats that can no longer matter; index replay_by_age. Runs every hour.
delete from replay
where account_id = %(account_id)s
  and at < %(since)s::timestamptz
