-- name: next_moment
-- When time next changes somebody's membership; index segment_moment_due. Not beyond the calendar of
-- Python, though a date may be.
select least(min(at), '9999-12-31')
from segment_moment
where account_id = %(account_id)s

-- name: due_moments
-- Whose moment has come; index segment_moment_due.
select version_id, contact_id
from segment_moment
where account_id = %(account_id)s
  and at <= %(now)s
order by at
limit %(rows)s

-- name: forget_moments
-- Moments that nothing comes of any more: their version is gone; primary key.
delete from segment_moment m
using unnest(%(version_id)s::bigint[], %(contact_id)s::bigint[]) as d (version_id, contact_id)
where m.account_id = %(account_id)s
  and m.version_id = d.version_id
  and m.contact_id = d.contact_id

-- name: lock_contacts
-- Whoever writes these cards waits, and then sees that they are others; primary key.
select contact_id
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
order by contact_id
for update

-- name: touch_contacts
-- What belongs to these cards changed: who decided on what was before must run again (design/engine.md).
update contact
set version = version + 1
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])

-- name: accounts_with_moments
-- Accounts in which time may change something; primary keys.
select a.account_id
from account a
where exists (select from segment_moment m where m.account_id = a.account_id)
