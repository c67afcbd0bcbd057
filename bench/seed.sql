-- name: seed_contacts
-- People 1 to `contacts`, as POST /api/v1/contact makes them; bench/people.py spells them the same way.
insert into contact (
    account_id, contact_id, external_id, email, phone, first_name, last_name, consent, source,
    created_at, updated_at
)
select %(account_id)s, n, 'crm-' || lpad(n::text, 7, '0'),
       'person' || lpad(n::text, 7, '0') || '@example.com', '38050' || lpad(n::text, 7, '0'),
       'Anna', 'Koval', '{"email": 1}', 'API', %(at)s, %(at)s
from generate_series(1, %(contacts)s) n

-- name: seed_identifiers
-- Their External IDs (kind 1), e-mails (2) and phones (3).
insert into identifier (account_id, kind, value_key, contact_id, since, rule)
select c.account_id, i.kind, i.value_key, c.contact_id, c.created_at, 'new_external_id'
from contact c
cross join lateral (values (1, c.external_id), (2, c.email), (3, c.phone)) i (kind, value_key)
where c.account_id = %(account_id)s
order by c.contact_id, i.kind

-- name: seed_history
-- How each of them came to be.
insert into identity_history (
    account_id, at, action, rule, contact_id, method, request_id, key_id, identifiers
)
select account_id, created_at, 'created', 'new_external_id', contact_id, 'addContact',
       'bench-' || contact_id, 1,
       jsonb_build_array(
           jsonb_build_object('kind', 'external_id', 'value', external_id),
           jsonb_build_object('kind', 'email', 'value', email),
           jsonb_build_object('kind', 'phone', 'value', phone)
       )
from contact
where account_id = %(account_id)s
order by contact_id

-- name: advance_ids
-- The server's next block of contact ids begins above theirs.
select setval('contact_id_block', %(contacts)s / 1000 * 1000 + 1001, false)
