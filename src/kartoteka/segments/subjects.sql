-- name: subjects
-- Live contacts with all that conditions read of them, by contact id; primary keys.
select c.contact_id, c.status, c.external_id, c.former_ids, c.email, c.phone, c.first_name, c.last_name,
       c.contact_key, c.language_code, c.time_zone, c.region, c.town, c.address, c.postcode, c.fields,
       c.consent, c.source, c.keyed, c.created_at, c.updated_at, c.removed_at, c.merged_into,
       (
           select jsonb_agg(jsonb_build_array(i.kind, i.app))
           from identifier i
           where i.account_id = %(account_id)s
             and i.contact_id = c.contact_id
       ),
       (
           select array_agg(m.segment_id)
           from segment_member m
           where m.account_id = %(account_id)s
             and m.contact_id = c.contact_id
       )
from contact c
where c.account_id = %(account_id)s
  and c.contact_id > %(after)s
  and c.status = 0
order by c.contact_id
limit %(rows)s
