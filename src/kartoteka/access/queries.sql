-- name: find_key
-- The key with that hash and its account; index api_key_by_hash. The one read that knows no account
-- yet: what it finds says which one the request belongs to.
select
    k.account_id, k.key_id, k.kind, k.rights, k.key_hash, k.enabled, k.enabled_at, k.last_used_at,
    a.org_id, a.name, a.user_email, a.settings, k.app_id, coalesce(p.trusted, false) as trusted
from api_key k
join account a on a.account_id = k.account_id
left join app p on p.account_id = k.account_id and p.app_id = k.app_id
where k.key_hash = %(key_hash)s
order by k.account_id, k.key_id
limit 1;

-- name: find_event_token
-- The key behind a Bearer token that has not run out; index access_token_by_hash.
select
    k.account_id, k.key_id, k.kind, k.rights, t.token_hash as key_hash, k.enabled, k.enabled_at,
    k.last_used_at, a.org_id, a.name, a.user_email, a.settings
from access_token t
join api_key k on k.account_id = t.account_id and k.key_id = t.key_id
join account a on a.account_id = t.account_id
where t.token_hash = %(key_hash)s
  and t.purpose = 'events'
  and t.expires_at > %(at)s
order by k.account_id
limit 1;

-- name: insert_key
insert into api_key
    (account_id, kind, rights, description, prefix, key_hash, enabled, enabled_at, created_at, app_id)
values
    (%(account_id)s, %(kind)s, %(rights)s, %(description)s, %(prefix)s, %(key_hash)s, true, %(at)s,
     %(at)s, %(app_id)s)
returning key_id;

-- name: list_keys
-- All keys of an account, or one of them; primary key.
select key_id, kind, rights, description, prefix, enabled, created_at, last_used_at, app_id
from api_key
where account_id = %(account_id)s
  and (%(key_id)s::bigint is null or key_id = %(key_id)s::bigint)
order by key_id;

-- name: enable_key
update api_key
set enabled = true, enabled_at = %(at)s
where account_id = %(account_id)s
  and key_id = %(key_id)s;

-- name: disable_key
update api_key
set enabled = false
where account_id = %(account_id)s
  and key_id = %(key_id)s;

-- name: delete_key
delete from api_key
where account_id = %(account_id)s
  and key_id = %(key_id)s;

-- name: delete_tokens_of_key
delete from access_token
where account_id = %(account_id)s
  and key_id = %(key_id)s;

-- name: note_key_use
-- Another process may have noted it a moment ago: then there is nothing to write.
update api_key
set last_used_at = %(at)s
where account_id = %(account_id)s
  and key_id = %(key_id)s
  and (last_used_at is null or last_used_at < %(unless_since)s);

-- name: insert_token
insert into access_token (account_id, token_hash, purpose, key_id, contact_id, expires_at)
values
    (%(account_id)s, %(token_hash)s, %(purpose)s, %(key_id)s, %(contact_id)s, %(expires_at)s);

-- name: find_contact_token
-- Whom a contact token speaks for; index access_token_by_hash.
select account_id, contact_id
from access_token
where token_hash = %(token_hash)s
  and purpose = 'contact'
  and contact_id is not null
  and expires_at > %(at)s
order by account_id
limit 1;

-- name: delete_expired_tokens
-- Some of the tokens of an account that have run out; reads the account's tokens, so it is called
-- seldom.
delete from access_token
where account_id = %(account_id)s
  and token_hash in (
    select token_hash
    from access_token
    where account_id = %(account_id)s
      and expires_at <= %(at)s
    limit %(rows)s
  );

-- name: insert_account
-- A new account with its first list of custom fields (wire 2.10), all or nothing. No row when the
-- name or the number is taken.
with made as (
    insert into account (name, org_id, user_email, settings, created_at)
    values (%(name)s, %(org_id)s, %(user_email)s, '{}', %(at)s)
    on conflict do nothing
    returning account_id, org_id, name, user_email, settings
),
fields as (
    insert into field_definition (account_id, list_key, list_name, key, name, type, possible_values, recurring)
    select made.account_id, 'PERSONAL', 'Personal', f.key, f.name, f.type, f.possible_values, f.recurring
    from made
    cross join (
        values
            ('BIRTHDAY', 'Birthday', 'DATE', '{}'::text[], true),
            ('GENDER', 'Gender', 'COMBOBOX', '{male,female}'::text[], false)
    ) as f (key, name, type, possible_values, recurring)
)
select account_id, org_id, name, user_email, settings
from made;

-- name: list_accounts
select account_id, org_id, name, user_email, settings
from account
order by account_id;

-- name: find_account
select account_id, org_id, name, user_email, settings
from account
where account_id = %(account_id)s;

-- name: find_account_by_name
select account_id, org_id, name, user_email, settings
from account
where name = %(name)s;

-- name: lock_account
-- What the account chose, locked until the change is written: two changes at once both survive.
select settings
from account
where account_id = %(account_id)s
for update;

-- name: update_settings
update account
set settings = %(settings)s::jsonb
where account_id = %(account_id)s
returning account_id, org_id, name, user_email, settings;

-- name: insert_admin_user
insert into admin_user (account_id, login, password_hash, role, created_at)
values (%(account_id)s, %(login)s, %(password_hash)s, %(role)s, %(at)s)
returning user_id;

-- name: insert_installation
-- A row for the first process that starts; another one waits here for it and gets none.
insert into installation (only_one, secret_fingerprint, created_at)
values (true, %(fingerprint)s, %(at)s)
on conflict do nothing
returning secret_fingerprint;

-- name: find_installation
select secret_fingerprint
from installation;

-- name: insert_app
-- No row when the account has an application of that id.
insert into app (account_id, app_id, name, kind, trusted, created_at)
values (%(account_id)s, %(app_id)s, %(name)s, %(kind)s, %(trusted)s, %(at)s)
on conflict do nothing
returning app_id, name, kind, trusted, created_at, 0;

-- name: list_apps
-- All applications of an account, or one of them, with how many keys each has; primary keys.
select
    a.app_id, a.name, a.kind, a.trusted, a.created_at,
    (select count(*) from api_key k where k.account_id = a.account_id and k.app_id = a.app_id)
from app a
where a.account_id = %(account_id)s
  and (%(app_id)s::text is null or a.app_id = %(app_id)s::text)
order by a.created_at, a.app_id;

-- name: change_app
update app
set name = coalesce(%(name)s::text, name), trusted = coalesce(%(trusted)s::boolean, trusted)
where account_id = %(account_id)s
  and app_id = %(app_id)s
returning app_id;

-- name: delete_app
delete from app
where account_id = %(account_id)s
  and app_id = %(app_id)s;

-- name: delete_keys_of_app
delete from api_key
where account_id = %(account_id)s
  and app_id = %(app_id)s;

-- name: accounts_with_apps
-- Accounts that have an access key of an app in use, so that a call of the SDK may be theirs.
select distinct account_id
from api_key
where kind = 'app'
  and enabled
order by account_id
limit %(rows)s;
