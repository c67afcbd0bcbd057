\set n random(1, :contacts)
\set name random(1, 1000000000)
begin;
update contact c set first_name = 'Anna' || :name::text, version = c.version + 1, updated_at = now() from identifier i where i.account_id = :account::integer and i.kind = 1 and i.value_key = 'crm-' || lpad(:n::text, 7, '0') and i.ordinal = 0 and c.account_id = :account::integer and c.contact_id = i.contact_id returning c.contact_id \gset
insert into identifier (account_id, kind, value_key, ordinal, contact_id, since, rule) values (:account::integer, 2, 'person' || lpad(:n::text, 7, '0') || '@example.com', 0, :contact_id::bigint, now(), 'given'), (:account::integer, 3, '38050' || lpad(:n::text, 7, '0'), 0, :contact_id::bigint, now(), 'given') on conflict (account_id, kind, value_key, ordinal) do update set contact_id = excluded.contact_id where identifier.contact_id <> excluded.contact_id;
commit;
