-- name: subjects
-- Live contacts with all that conditions read of them, by contact id; primary keys. The columns of a
-- card in their order.
select c.contact_id, c.status, c.external_id, c.former_ids, c.email, c.phone, c.first_name, c.last_name,
       c.contact_key, c.language_code, c.time_zone, c.region, c.town, c.address, c.postcode, c.fields,
       c.consent, c.source, c.keyed, c.created_at, c.updated_at, c.removed_at, c.merged_into,
       c.merges, c.last_word, c.proof,
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
       ),
       (
           select jsonb_agg(jsonb_build_array(
               r.status = 2, r.total_cost::text, r.ordered_at, r.currency
           ))
           from owners_of(%(account_id)s::integer, array[c.contact_id]) o
           cross join lateral (
               select *
               from orders
               where account_id = %(account_id)s
                 and owner_id = o.owner_id
               order by ordered_at desc, order_id desc  -- by its index, in a young table too
           ) r
       ),
       (
           select jsonb_agg(jsonb_build_array(
               e.type_key, e.occurred, e.kind = 1, e.key_value,
               (
                   select jsonb_object_agg(p.key, p.value #>> '{}')
                   from jsonb_each(e.params) p
                   where jsonb_typeof(p.value) in ('string', 'number', 'boolean')
               )
           ))
           from owners_of(%(account_id)s::integer, array[c.contact_id]) o
           cross join lateral (
               select *
               from event
               where account_id = %(account_id)s
                 and owner_id = o.owner_id
               order by kind, occurred desc, event_id desc
           ) e
       )
from contact c
where c.account_id = %(account_id)s
  and c.contact_id > %(after)s
  and c.status = 0
order by c.contact_id
limit %(rows)s
