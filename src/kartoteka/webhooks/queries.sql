-- name: add_webhook
-- A webhook that is told what happens from now on: also what is committed later by transactions that
-- began before.
insert into webhook (account_id, url, secret, events, segments, created_at, read_xid)
select %(account_id)s, %(url)s, %(secret)s, %(events)s::text[], %(segments)s::integer[], %(at)s,
       pg_snapshot_xmin(pg_current_snapshot())
returning webhook_id

-- name: segments_with_conditions
-- Which of these ids are segments that contacts enter and leave; primary key.
select segment_id
from segment
where account_id = %(account_id)s
  and segment_id = any(%(ids)s::integer[])
  and type <> 'Static'

-- name: count_webhooks
-- How many an account has; primary key.
select count(*)
from webhook
where account_id = %(account_id)s

-- name: webhooks
-- All of an account, or the one of an id, with how many deliveries wait and are dead; primary key and
-- webhook_delivery_waiting, webhook_delivery_dead.
select webhook_id, url, events, segments, enabled, created_at,
       (
           select count(*) from webhook_delivery d
           where d.account_id = w.account_id and d.webhook_id = w.webhook_id and d.state = 0
       ),
       (
           select count(*) from webhook_delivery d
           where d.account_id = w.account_id and d.webhook_id = w.webhook_id and d.state = 2
       )
from webhook w
where account_id = %(account_id)s
  and (%(webhook_id)s::bigint is null or webhook_id = %(webhook_id)s::bigint)
order by webhook_id

-- name: change_webhook
-- What is given replaces what stood; primary key.
update webhook
set url = coalesce(%(url)s::text, url),
    events = coalesce(%(events)s::text[], events),
    segments = coalesce(%(segments)s::integer[], segments),
    enabled = coalesce(%(enabled)s::boolean, enabled)
where account_id = %(account_id)s
  and webhook_id = %(webhook_id)s
returning webhook_id

-- name: delete_webhook
-- The webhook; primary key.
delete from webhook
where account_id = %(account_id)s
  and webhook_id = %(webhook_id)s
returning webhook_id

-- name: delete_deliveries
-- What was on its way to a webhook that is gone; index webhook_delivery_by_hook.
delete from webhook_delivery
where account_id = %(account_id)s
  and webhook_id = %(webhook_id)s

-- name: all_webhooks
-- Webhooks of all accounts that are to be served.
select account_id, webhook_id, url, secret, events, segments, read_xid::text, read_id
from webhook
where enabled
order by account_id, webhook_id

-- name: queue_happenings
-- The next happenings become deliveries of one webhook, in the order in which they happened; primary
-- key. Row: how many were looked at.
with part as materialized (
    select xid, happening_id, at, kind, contact_id, segment_id, other_id
    from happening
    where account_id = %(account_id)s
      and (xid, happening_id) > (%(read_xid)s::xid8, %(read_id)s::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, happening_id
    limit 2000
), step as (
    update webhook w
    set read_xid = last.xid, read_id = last.happening_id
    from (select xid, happening_id from part order by xid desc, happening_id desc limit 1) last
    where w.account_id = %(account_id)s
      and w.webhook_id = %(webhook_id)s
      and w.read_xid = %(read_xid)s::xid8
      and w.read_id = %(read_id)s
    returning w.webhook_id
), queued as (
    insert into webhook_delivery (
        account_id, webhook_id, happening_id, event, at, contact_id, segment_id, other_id, due
    )
    select %(account_id)s::integer, s.webhook_id, p.happening_id, e.event, p.at, p.contact_id,
           p.segment_id, p.other_id, %(now)s::timestamptz
    from part p
    join unnest(%(kinds)s::smallint[], %(events)s::text[]) as e (kind, event) on e.kind = p.kind
    cross join step s
    where cardinality(%(segments)s::integer[]) = 0
       or p.segment_id is null
       or p.segment_id = any(%(segments)s::integer[])
    order by p.xid, p.happening_id
)
select count(*) from part

-- name: due_deliveries
-- What may be sent now: of each contact only the first that waits; index webhook_delivery_due.
select d.delivery_id, d.happening_id, d.event, d.at, d.contact_id, d.segment_id, d.other_id, d.attempts,
       s.name, c.external_id
from webhook_delivery d
left join segment s
  on s.account_id = %(account_id)s
 and s.segment_id = d.segment_id
left join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = d.contact_id
where d.account_id = %(account_id)s
  and d.webhook_id = %(webhook_id)s
  and d.state = 0
  and d.due <= %(now)s
  and not exists (
      select from webhook_delivery e
      where e.account_id = %(account_id)s
        and e.webhook_id = %(webhook_id)s
        and e.contact_id = d.contact_id
        and e.state = 0
        and e.delivery_id < d.delivery_id
  )
order by d.due, d.delivery_id
limit %(rows)s

-- name: settle_delivery
-- What came of an attempt; primary key.
update webhook_delivery
set state = %(state)s, attempts = %(attempts)s, due = %(due)s, status = %(status)s, error = %(error)s,
    delivered_at = %(delivered_at)s
where account_id = %(account_id)s
  and delivery_id = %(delivery_id)s
  and state = 0

-- name: deliveries
-- One page of a webhook's deliveries, the latest first; index webhook_delivery_by_hook.
select delivery_id, happening_id, event, at, contact_id, segment_id, state, attempts, due, status, error,
       delivered_at, count(*) over ()
from webhook_delivery
where account_id = %(account_id)s
  and webhook_id = %(webhook_id)s
  and (%(state)s::smallint is null or state = %(state)s::smallint)
order by delivery_id desc
limit %(rows)s
offset %(skip)s

-- name: replay_delivery
-- A dead delivery, or all of a webhook, tried again from the first attempt on.
update webhook_delivery
set state = 0, attempts = 0, due = %(now)s, error = null
where account_id = %(account_id)s
  and webhook_id = %(webhook_id)s
  and state = 2
  and (%(delivery_id)s::bigint is null or delivery_id = %(delivery_id)s::bigint)

-- name: forget_deliveries
-- What was delivered long ago, a part at a time.
delete from webhook_delivery
where account_id = %(account_id)s
  and delivery_id in (
      select delivery_id
      from webhook_delivery
      where account_id = %(account_id)s
        and state = 1
        and delivered_at < %(before)s
      limit 5000
  )

-- name: forget_happenings
-- What happened long ago, a part at a time; primary key: transaction ids grow with time.
delete from happening
where account_id = %(account_id)s
  and (xid, happening_id) in (
      select xid, happening_id
      from happening
      where account_id = %(account_id)s
      order by xid, happening_id
      limit 5000
  )
  and at < %(before)s
