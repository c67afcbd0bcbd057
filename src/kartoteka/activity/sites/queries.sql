-- name: find_site
-- The website with that key; index site_by_key. It knows no account yet: what it finds says which one.
select account_id, site_key, domain, web_push
from site
where site_key = %(site_key)s
order by account_id
limit 1

-- name: find_sites_of_organisation
-- Websites of the account with that number (wire 9.4); its unique key, then the primary key.
select s.account_id, s.site_key, s.domain, s.web_push
from account a
join site s on s.account_id = a.account_id
where a.org_id = %(org_id)s

-- name: list_sites
-- All websites of an account, the first registered first; primary key.
select account_id, site_key, domain, web_push
from site
where account_id = %(account_id)s
order by created_at, site_key

-- name: add_site
-- A new website; no row where the account has the domain already.
insert into site (account_id, site_key, domain, created_at)
values (%(account_id)s, %(site_key)s, %(domain)s, %(at)s)
on conflict (account_id, domain) do nothing
returning account_id, site_key, domain, web_push

-- name: remove_site
-- Its key is unknown from then on; what was collected stays.
delete from site
where account_id = %(account_id)s
  and domain = %(domain)s
returning domain

-- name: set_web_push
-- The service worker of a domain, or none any more.
update site
set web_push = %(web_push)s::jsonb
where account_id = %(account_id)s
  and domain = %(domain)s
returning account_id, site_key, domain, web_push
