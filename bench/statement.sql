-- name: make_wanted
-- What a file or call said.
create temporary table wanted (
    external_id text, email text, phone text, first_name text, last_name text, town text, region text,
    postcode text, language_code text, contact_key text
) on commit drop

-- name: copy_wanted
copy wanted from stdin

-- name: analyze_wanted
analyze wanted

-- name: count_outcomes
-- Rows of the statements by outcome, and how many contacts they name.
select outcome, count(*), count(distinct (import_id, row_number)), count(distinct contact_id)
from import_row
where account_id = %(account_id)s
  and import_id = any(%(imports)s::bigint[])
group by outcome

-- name: imports_of
-- The imports that bulk calls are.
select import_id
from import
where account_id = %(account_id)s
  and session_id = any(%(sessions)s::text[])

-- name: count_cards
-- Cards that hold what was said, all ten columns of it.
select count(*)
from wanted w
join contact c on c.account_id = %(account_id)s and c.external_id = w.external_id
where c.status = 0
  and (c.email, c.phone, c.first_name, c.last_name, c.town, c.region, c.postcode, c.language_code,
       c.contact_key)
      is not distinct from
      (w.email, w.phone, w.first_name, w.last_name, w.town, w.region, w.postcode, w.language_code,
       w.contact_key)

-- name: count_identifiers
-- Identifiers that lead to the card with that External ID, at ordinal 0.
select count(*)
from wanted w
cross join lateral (values (1, w.external_id), (2, w.email), (3, w.phone)) k (kind, value)
join identifier i
  on i.account_id = %(account_id)s
 and i.kind = k.kind
 and i.value_key = k.value
 and i.ordinal = 0
join contact c on c.account_id = i.account_id and c.contact_id = i.contact_id
where c.external_id = w.external_id

-- name: count_duplicates
-- Live contacts too many: nobody here shares an External ID, an e-mail or a phone.
select (select count(*) - count(distinct external_id) from contact
        where account_id = %(account_id)s and status = 0)
     + (select count(*) from identifier where account_id = %(account_id)s and ordinal > 0)
