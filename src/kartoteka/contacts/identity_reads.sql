-- name: find_token
-- Live holders of a token of this app or of none (decisions D2); primary keys.
select c.contact_id, i.attributes
from identifier i
cross join lateral (
    select contact_id, status
    from contact
    where account_id = %(account_id)s
      and contact_id = i.contact_id
    limit 1
) c
where i.account_id = %(account_id)s
  and i.kind = any(%(kinds)s::smallint[])
  and i.value_key = %(value_key)s
  and i.ordinal = 0
  and (i.app is null or i.app = %(app)s)
  and c.status = 0
order by i.kind
limit 1

-- name: emails
-- E-mails of live contacts; primary key.
select contact_id, email
from contact
where account_id = %(account_id)s
  and contact_id = any(%(ids)s::bigint[])
  and status = 0
  and email is not null
order by contact_id

-- name: categories
-- Subscription categories of the account, in the order of their ids; primary key.
select category_id, key, name, group_id, created_at, updated_at
from subscription_category
where account_id = %(account_id)s
order by category_id

-- name: name_category
-- A category and what people call it; unique key of subscription_category.
insert into subscription_category (account_id, key, name, created_at, updated_at)
values (%(account_id)s, %(key)s, %(name)s, %(at)s, %(at)s)
on conflict (account_id, key) do update
set name = excluded.name, updated_at = excluded.updated_at

-- name: category_counts
-- How many live contacts are subscribed to each category: reads the whole account.
select substr(entry.key, 10), count(*)
from contact c
cross join lateral jsonb_each(c.consent) as entry (key, state)
where c.account_id = %(account_id)s
  and c.status = 0
  and entry.key like 'category:%%'
  and entry.state = '1'
group by entry.key

-- name: person
-- The card that an id leads to, and every card that was merged into it; primary key and
-- contact_by_survivor. Rows are (contact id, status), the card itself first.
with recursive
up as (
    select contact_id, status, merged_into, 0 as depth
    from contact
    where account_id = %(account_id)s
      and contact_id = %(contact_id)s
    union all
    select c.contact_id, c.status, c.merged_into, u.depth + 1
    from up u
    cross join lateral (
        select *
        from contact
        where account_id = %(account_id)s
          and contact_id = u.merged_into
        limit 1
    ) c
    where u.status = 2
),
down as (
    (select contact_id, status, 0 as depth from up order by up.depth desc limit 1)
    union all
    select c.contact_id, c.status, d.depth + 1
    from down d
    cross join lateral (
        select contact_id, status
        from contact
        where account_id = %(account_id)s
          and merged_into = d.contact_id
        order by merged_into  -- so that each is looked up by its key, in a young table too
    ) c
)
select contact_id, status
from down
order by depth, contact_id

-- name: identifiers
-- All identifiers of one card; index identifier_by_contact.
select kind, coalesce(long_value, value_key), former, since, rule, app, device
from (
    select *
    from identifier
    where account_id = %(account_id)s
      and contact_id = %(contact_id)s
    offset 0  -- so that they are found by contact, in a young table too, and sorted then
) i
order by kind, former, since, value_key

-- name: history
-- What happened to these cards, newest first; indexes identity_history_by_contact and _by_other.
select history_id, at, action, rule, contact_id, other_contact_id, method, request_id, key_id, identifiers
from (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id = any(%(ids)s::bigint[])
    union all
    select *
    from identity_history
    where account_id = %(account_id)s
      and other_contact_id = any(%(ids)s::bigint[])
      and contact_id <> all(%(ids)s::bigint[])
    offset 0  -- so that they are found by contact, in a young table too, and sorted then
) h
where action <> 'said'
order by history_id desc
limit %(rows)s
offset %(skip)s

-- name: merges_of
-- Merges that these cards took part in, newest first, also what was undone since; both indexes by contact.
select m.history_id, m.contact_id, m.other_contact_id, m.at, m.rule, m.method, m.request_id, m.key_id,
       (
           select u.at from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = m.history_id
       ),
       count(*) over ()
from (
    select *
    from identity_history
    where account_id = %(account_id)s
      and contact_id = any(%(ids)s::bigint[])
    union all
    select *
    from identity_history
    where account_id = %(account_id)s
      and other_contact_id = any(%(ids)s::bigint[])
      and contact_id <> all(%(ids)s::bigint[])
    offset 0  -- so that they are found by contact, and not among all merges of the account
) m
where action = 'absorbed'
order by history_id desc
limit %(rows)s
offset %(skip)s

-- name: merges
-- All merges of the account, newest first; index identity_history_merges.
select m.history_id, m.contact_id, m.other_contact_id, m.at, m.rule, m.method, m.request_id, m.key_id,
       (
           select u.at from identity_history u
           where u.account_id = %(account_id)s
             and u.undoes = m.history_id
       )
from identity_history m
where account_id = %(account_id)s
  and action = 'absorbed'
order by history_id desc
limit %(rows)s
offset %(skip)s

-- name: merge_of
-- The last merge of these two; index identity_history_by_other.
select history_id
from (
    select history_id, contact_id, action
    from identity_history
    where account_id = %(account_id)s
      and other_contact_id = %(absorbed_id)s
    offset 0  -- as in merges_of
) m
where contact_id = %(survivor_id)s
  and action = 'absorbed'
order by history_id desc
limit 1

-- name: count_merges
-- How many merges the account has seen; index identity_history_merges.
select count(*)
from identity_history
where account_id = %(account_id)s
  and action = 'absorbed'
