-- name: seed_shared_phones
-- Every tenth pair of neighbours shares a phone: what the page of duplicates leads through.
insert into identifier (account_id, kind, value_key, ordinal, contact_id, since, rule)
select c.account_id, 3, c.phone, 1, c.contact_id + 1, c.created_at, 'given'
from contact c
join contact n on n.account_id = c.account_id and n.contact_id = c.contact_id + 1 and n.status = 0
where c.account_id = %(account_id)s
  and c.contact_id %% 20 = 1
  and c.phone is not null
  and c.status = 0
on conflict do nothing

-- name: seed_look_alikes
-- As many look alike.
insert into duplicate (account_id, contact_id, other_id, score, fields, found_at)
select account_id, contact_id, contact_id + 2, 0.8 + (contact_id %% 200) / 1000.0,
       '{"firstName": 1, "lastName": 0.9}', created_at
from contact
where account_id = %(account_id)s
  and contact_id %% 20 = 2
on conflict do nothing

-- name: seed_told_apart
-- Five thousand pairs that people told apart.
insert into apart (account_id, contact_id, other_id, at, reason, request_id, key_id)
select account_id, contact_id, contact_id + 3, created_at, 'not_the_same', 'bench', 1
from contact
where account_id = %(account_id)s
  and contact_id %% 20 = 3
order by contact_id
limit 5000
on conflict do nothing

-- name: seed_quarantine
-- A thousand kiosks.
insert into identifier (account_id, kind, value_key, contact_id, since, rule, senders)
select %(account_id)s, 4, 'kiosk-' || n, 0, now(), 'too_many_people', array_fill(n, array[51])
from generate_series(1, 1000) n
on conflict do nothing
