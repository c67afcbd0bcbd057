\set i :i + 1
\set n :first + :i * 32 + :client_id
begin;
insert into contact (account_id, contact_id, external_id, email, phone, first_name, last_name, consent, source, created_at, updated_at) values (:account::integer, :n::bigint, 'crm-' || lpad(:n::text, 7, '0'), 'person' || lpad(:n::text, 7, '0') || '@example.com', '38050' || lpad(:n::text, 7, '0'), 'Anna', 'Koval', '{"email": 1}', 'API', now(), now());
insert into identifier (account_id, kind, value_key, ordinal, contact_id, since, rule) values (:account::integer, 1, 'crm-' || lpad(:n::text, 7, '0'), 0, :n::bigint, now(), 'given'), (:account::integer, 2, 'person' || lpad(:n::text, 7, '0') || '@example.com', 0, :n::bigint, now(), 'given'), (:account::integer, 3, '38050' || lpad(:n::text, 7, '0'), 0, :n::bigint, now(), 'given');
commit;
