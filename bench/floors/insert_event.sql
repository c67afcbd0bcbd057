\set n random(1, :contacts)
\set sku random(1, 1000000)
insert into event (account_id, owner_id, kind, source, type_key, key_value, occurred, received, params) values (:account::integer, :n::bigint, 0, 1, 'productViewed', 'crm-' || lpad(:n::text, 7, '0'), now(), now(), ('{"externalCustomerId": "crm-' || lpad(:n::text, 7, '0') || '", "sku": "' || :sku::text || '", "price": 12.5}')::jsonb);
