-- name: what_if_history
-- The next rows of the identity history, oldest first; primary key.
select h.history_id, h.at, h.action, h.rule, h.contact_id, h.other_contact_id, h.method, h.request_id,
       h.key_id, h.identifiers, h.by,
       h.action = 'absorbed' and exists (
           select from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = h.history_id
       )
from identity_history h
where h.account_id = %(account_id)s
  and h.history_id > %(after)s
  and h.action not in ('said', 'refused')
order by h.history_id
limit %(limit)s

-- name: what_if_names
-- Names that stand, and which request said each; without one, that which created the card.
select first_name, last_name, proof, contact_id
from contact
where account_id = %(account_id)s
  and (first_name is not null or last_name is not null)

-- name: what_if_names_absorbed
-- The same of cards as they were when they were absorbed.
select snapshot -> 'card' ->> 'first_name', snapshot -> 'card' ->> 'last_name',
       snapshot -> 'card' -> 'proof', other_contact_id
from identity_history
where account_id = %(account_id)s
  and action = 'absorbed'
  and snapshot is not null

-- name: what_if_apart
-- Who was said not to be the same.
select contact_id, other_id
from apart
where account_id = %(account_id)s

-- name: what_if_devices
-- Tokens and the device that each belongs to.
select kind, coalesce(long_value, value_key), device
from identifier
where account_id = %(account_id)s
  and device is not null

-- name: what_if_live
-- Contacts that stand.
select contact_id
from contact
where account_id = %(account_id)s
  and status = 0

-- name: what_if_members
-- In which lists and dynamic segments these contacts are; index segment_member_by_contact, primary keys.
select segment_id, contact_id
from segment_member
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
union all
select s.segment_id, m.contact_id
from segment s
join segment_match m
  on m.account_id = s.account_id
 and m.version_id = s.version_id
 and m.contact_id = any(%(ids)s::bigint[])
where s.account_id = %(account_id)s

-- name: what_if_segments
-- Names of segments.
select segment_id, name
from segment
where account_id = %(account_id)s
