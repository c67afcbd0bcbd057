-- name: users_named
-- Everybody who signs in under this name, in whatever account; index admin_user_by_login.
select account_id, user_id, login, password_hash, role
from admin_user
where login = %(login)s
order by account_id

-- name: accounts_of_login
-- Whose log a failed attempt belongs into: every account that has the login, else the oldest account,
-- whose owners run the installation; index admin_user_by_login.
select account_id
from admin_user
where login = %(login)s
union all
(
    select account_id
    from account
    where not exists (select from admin_user where login = %(login)s)
    order by account_id
    limit 1
)

-- name: users
-- The users of an account, by name; unique key of admin_user.
select user_id, login, role, created_at, signed_in_at
from admin_user
where account_id = %(account_id)s
order by login

-- name: user
-- One user with the password's hash; primary key.
select user_id, login, role, created_at, signed_in_at, password_hash
from admin_user
where account_id = %(account_id)s
  and user_id = %(user_id)s

-- name: insert_user
-- A new user; no row when the account has one of that name.
insert into admin_user (account_id, login, password_hash, role, created_at)
values (%(account_id)s, %(login)s, %(password_hash)s, %(role)s, %(at)s)
on conflict (account_id, login) do nothing
returning user_id

-- name: lock_owners
-- The owners of an account, locked: the last one stays, also when two leave at once.
select user_id
from admin_user
where account_id = %(account_id)s
  and role = 'owner'
order by user_id
for update

-- name: change_role
update admin_user
set role = %(role)s
where account_id = %(account_id)s
  and user_id = %(user_id)s

-- name: change_password
update admin_user
set password_hash = %(password_hash)s
where account_id = %(account_id)s
  and user_id = %(user_id)s

-- name: note_sign_in
update admin_user
set signed_in_at = %(at)s
where account_id = %(account_id)s
  and user_id = %(user_id)s

-- name: change_preferences
update admin_user
set preferences = preferences || %(preferences)s::jsonb
where account_id = %(account_id)s
  and user_id = %(user_id)s

-- name: delete_user
delete from admin_user
where account_id = %(account_id)s
  and user_id = %(user_id)s

-- name: insert_session
insert into admin_session (account_id, session_hash, user_id, address, created_at, seen_at, expires_at)
values (%(account_id)s, %(session_hash)s, %(user_id)s, %(address)s, %(at)s, %(at)s, %(expires_at)s)

-- name: session
-- Who works under this session, in every account that it reaches; index admin_session_by_hash.
select
    s.account_id, s.user_id, u.login, u.role, u.preferences, s.seen_at, s.expires_at,
    a.org_id, a.name, a.user_email, a.settings
from admin_session s
join admin_user u on u.account_id = s.account_id and u.user_id = s.user_id
join account a on a.account_id = s.account_id
where s.session_hash = %(session_hash)s
  and s.expires_at > %(at)s
  and s.created_at > %(created_after)s
order by s.account_id

-- name: note_seen
update admin_session
set seen_at = %(at)s, expires_at = %(expires_at)s
where session_hash = %(session_hash)s

-- name: end_session
delete from admin_session
where session_hash = %(session_hash)s

-- name: end_sessions_of
-- All sessions of a user but one; index admin_session_by_user.
delete from admin_session
where account_id = %(account_id)s
  and user_id = %(user_id)s
  and session_hash <> %(but)s

-- name: forget_sessions
-- Sessions that have run out, of one account; primary key.
delete from admin_session
where account_id = %(account_id)s
  and expires_at <= %(at)s

-- name: forget_attempts
delete from admin_attempt
where account_id = 0
  and since <= %(before)s

-- name: count_attempt
-- One more attempt of this subject, counted before the password is looked at: how many there were
-- since the window began; primary key.
insert into admin_attempt (account_id, subject, failures, since)
values (0, %(subject)s, 1, %(at)s)
on conflict (account_id, subject) do update
set failures = case when admin_attempt.since <= %(window_began)s then 1 else admin_attempt.failures + 1 end,
    since = case when admin_attempt.since <= %(window_began)s then %(at)s else admin_attempt.since end
returning failures, since

-- name: forgive_attempts
delete from admin_attempt
where account_id = 0
  and subject = %(subject)s

-- name: take_back_attempt
update admin_attempt
set failures = greatest(failures - 1, 0)
where account_id = 0
  and subject = %(subject)s

-- name: insert_audit
insert into admin_audit (account_id, at, user_id, login, action, subject, details, request_id)
values
    (%(account_id)s, %(at)s, %(user_id)s, %(login)s, %(action)s, %(subject)s, %(details)s::jsonb,
     %(request_id)s)

-- name: audit
-- One page of the log, newest first, before that id; primary key.
select audit_id, at, login, action, subject, details, request_id
from admin_audit
where account_id = %(account_id)s
  and audit_id < %(before)s
order by audit_id desc
limit %(rows)s

-- name: who_did
-- Who made these requests; index admin_audit_by_request.
select request_id, login
from admin_audit
where account_id = %(account_id)s
  and request_id = any(%(request_ids)s::text[])
