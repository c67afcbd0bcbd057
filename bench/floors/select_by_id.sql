\set n random(1, :contacts)
select contact_id, status, external_id, email, phone, first_name, last_name, contact_key, language_code, time_zone, region, town, address, postcode, fields, consent, created_at, updated_at from contact where account_id = :account::integer and contact_id = :n::bigint;
select kind, value_key, contact_id, long_value, former, app, device, attributes from identifier where account_id = :account::integer and contact_id = :n::bigint;
