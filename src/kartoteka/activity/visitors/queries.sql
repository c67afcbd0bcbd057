-- name: find_claims
-- Claims of these cookies and devices that wait; primary key.
select c.kind, c.value_key, c.external_key, c.email, c.phone, c.contact_id, c.expires_at
from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, value_key)
cross join lateral (
    select *
    from claim
    where account_id = %(account_id)s
      and kind = k.kind
      and value_key = k.value_key
    limit 1
) c

-- name: find_claims_about
-- Cookies and devices that somebody's card has and that are claimed to be of whoever has these identifiers
-- (kind 0: of the contact with this id); at most fifty of each. Indexes of claim, then of identifier.
select k.kind, k.key, c.kind, c.value_key
from unnest(%(kinds)s::smallint[], %(keys)s::text[]) as k (kind, key)
cross join lateral (
    select w.kind, w.value_key
    from (
        select * from claims_naming(%(account_id)s::integer, k.kind, k.key)
        union all
        select * from claim
        where account_id = %(account_id)s and k.kind = 0
          and contact_id = case when k.kind = 0 then k.key::bigint end
    ) w
    join identifier i on i.account_id = %(account_id)s
      and i.kind = w.kind
      and i.value_key = w.value_key
      and i.contact_id > 0
    order by w.claimed_at desc
    limit 50
) c

-- name: turn_spans
-- Spans that begin to wait for a claim, or whose claim is decided (noted for exports); index
-- visitor_span_by_owner.
with turned as (
    update visitor_span s
    set state = d.state,
        contact_id = d.contact_id,
        rule = case when d.contact_id is null then s.rule else 'claim' end,
        linked_at = case when d.contact_id is null then s.linked_at else %(at)s::timestamptz end
    from unnest(%(owner_id)s::bigint[], %(state)s::smallint[], %(contact_id)s::bigint[])
        as d (owner_id, state, contact_id)
    where s.account_id = %(account_id)s
      and s.owner_id = d.owner_id
    returning s.owner_id, s.contact_id
)
insert into change (account_id, at, owner_ids)
select %(account_id)s::integer, %(at)s::timestamptz, array_agg(owner_id)
from turned
where contact_id is not null
having count(*) > 0

-- name: touch_visitors
-- Spans that end now, as they are; index visitor_span_by_owner.
update visitor_span
set state = state
where account_id = %(account_id)s
  and owner_id = any(%(owner_id)s::bigint[])

-- name: mark_claimed
-- Spans that a claim of this batch began; index visitor_span_by_owner.
update visitor_span
set rule = 'claim'
where account_id = %(account_id)s
  and owner_id = any(%(owner_id)s::bigint[])

-- name: keep_claims
-- A cookie or device has one claim that waits: the last.
insert into claim (
    account_id, kind, value_key, external_key, email, phone, contact_id, expires_at, claimed_at
)
select %(account_id)s::integer, kind, value_key, external_key, email, phone, contact_id, expires_at, at
from unnest(
    %(kind)s::smallint[], %(value_key)s::text[], %(external_key)s::text[], %(email)s::text[],
    %(phone)s::text[], %(contact_id)s::bigint[], %(expires_at)s::timestamptz[], %(at)s::timestamptz[]
) as d (kind, value_key, external_key, email, phone, contact_id, expires_at, at)
on conflict (account_id, kind, value_key) do update
set external_key = excluded.external_key,
    email = excluded.email,
    phone = excluded.phone,
    contact_id = excluded.contact_id,
    expires_at = excluded.expires_at,
    claimed_at = excluded.claimed_at

-- name: drop_claims
-- Claims that took effect or were cancelled by a later one; primary key.
delete from claim c
using unnest(%(kind)s::smallint[], %(value_key)s::text[]) as d (kind, value_key)
where c.account_id = %(account_id)s
  and c.kind = d.kind
  and c.value_key = d.value_key

-- name: take_up_claims
-- Claims that waited for these contacts, which a keyed call created, restored or gave the identifiers
-- (D36): what waited with each is theirs, the cookie too unless somebody logged out meanwhile, and the
-- history says so. Not where an identifier of the claim stands on live contacts, but not on that one. On a
-- merged card it is the side's that the claim names (D28). Index identifier_by_contact, then those of claim.
with people as (
    select c.contact_id, i.kind, i.value_key, coalesce(i.home, c.contact_id) as side
    from contact c
    join identifier i on i.account_id = %(account_id)s and i.contact_id = c.contact_id
    where c.account_id = %(account_id)s
      and c.contact_id = any(%(ids)s::bigint[])
      and c.status = 0
      and i.kind in (1, 2, 3)
),
named as (
    select p.contact_id, p.side, w.kind, w.value_key, w.external_key, w.email, w.phone,
           w.contact_id as claimed_id, w.claimed_at
    from people p
    cross join lateral claims_naming(%(account_id)s::integer, p.kind, p.value_key) w
    where (p.kind = 1 or w.external_key is null)
      and w.expires_at > %(at)s::timestamptz
    union all
    select w.contact_id, w.contact_id, w.kind, w.value_key, null, null, null, w.contact_id, w.claimed_at
    from claim w
    where w.account_id = %(account_id)s
      and w.contact_id = any(%(ids)s::bigint[])
      and w.external_key is null
      and w.email is null
      and w.phone is null
      and w.expires_at > %(at)s::timestamptz
      and exists (
          select from contact
          where account_id = %(account_id)s
            and contact_id = w.contact_id
            and status = 0
          offset 0
      )
),
due as (
    select distinct on (n.kind, n.value_key) n.contact_id, n.side, n.kind, n.value_key, n.claimed_at
    from named n
    where not exists (
        select
        from (values (2, n.email), (3, n.phone)) as g (kind, value_key)
        where g.value_key is not null
          and not exists (
              select from people p
              where p.contact_id = n.contact_id and p.kind = g.kind and p.value_key = g.value_key
          )
          and (
              n.external_key is null
              or exists (
                  select from identifier o
                  join contact c on c.account_id = %(account_id)s and c.contact_id = o.contact_id
                  where o.account_id = %(account_id)s
                    and o.kind = g.kind
                    and o.value_key = g.value_key
                    and c.status = 0
              )
          )
    )
      and not (  -- D10a: a phone alone names no contact that has an e-mail
          n.phone is not null
          and n.external_key is null
          and n.email is null
          and n.claimed_id is null
          and exists (
              select from people p
              where p.contact_id = n.contact_id
                and p.kind = case when %(phone_is_personal)s::boolean then 1 else 2 end
          )
      )
      and not exists (
          select from contact c
          where c.account_id = %(account_id)s
            and c.contact_id = n.claimed_id
            and c.contact_id <> n.contact_id
            and c.status = 0
      )
    order by n.kind, n.value_key, n.contact_id, n.side
),
linked as (
    update visitor_span s
    set contact_id = d.side, state = 1, rule = 'claim', linked_at = %(at)s::timestamptz
    from due d
    where s.account_id = %(account_id)s
      and s.kind = d.kind
      and s.value_key = d.value_key
      and s.state = 3
    returning s.owner_id, d.contact_id, d.side, d.claimed_at
),
taken as (
    update identifier i
    set contact_id = l.contact_id, since = l.claimed_at, rule = 'claim',
        home = nullif(l.side, l.contact_id)
    from linked l
    where i.account_id = %(account_id)s
      and i.contact_id = -l.owner_id
    returning i.contact_id, i.kind, coalesce(i.long_value, i.value_key) as value
),
noted as (
    insert into change (account_id, at, contact_ids, owner_ids)
    select %(account_id)s::integer, %(at)s::timestamptz, array_agg(contact_id), array_agg(owner_id)
    from linked
    having count(*) > 0
),
gone as (
    delete from claim c
    using due d
    where c.account_id = %(account_id)s
      and c.kind = d.kind
      and c.value_key = d.value_key
    returning c.kind
)
insert into identity_history (
    account_id, at, action, rule, contact_id, method, request_id, key_id, identifiers
)
select %(account_id)s::integer, %(at)s::timestamptz, 'claimed', 'claim_waited', g.contact_id, 'visited', '',
       0, coalesce((
           select jsonb_agg(jsonb_build_object('kind', n.name, 'value', t.value) order by t.kind, t.value)
           from taken t
           join unnest(%(codes)s::smallint[], %(names)s::text[]) as n (code, name) on n.code = t.kind
           where t.contact_id = g.contact_id
       ), '[]')
from (select distinct contact_id from linked) g

-- name: give_tokens
-- Web push tokens of visitors whom this batch made known go along with their spans (D10). Index
-- visitor_span primary key, then identifier_by_contact.
with known as (
    select s.owner_id, d.contact_id as side, d.card_id as contact_id, d.since
    from unnest(%(kind)s::smallint[], %(value_key)s::text[], %(contact_id)s::bigint[],
                %(since)s::timestamptz[], %(card_id)s::bigint[])
        as d (kind, value_key, contact_id, since, card_id)
    join visitor_span s on s.account_id = %(account_id)s
      and s.kind = d.kind
      and s.value_key = d.value_key
      and s.contact_id = d.contact_id
),
given as (
    update identifier i
    set contact_id = k.contact_id, since = k.since, rule = 'with_visitor',
        home = nullif(k.side, k.contact_id)
    from known k
    where i.account_id = %(account_id)s
      and i.contact_id = -k.owner_id
      and i.kind = 5
    returning i.contact_id, coalesce(i.long_value, i.value_key) as value
),
noted as (
    insert into change (account_id, at, contact_ids)
    select %(account_id)s::integer, max(since), array_agg(contact_id)
    from known
    having count(*) > 0
)
insert into identity_history (
    account_id, at, action, rule, contact_id, method, request_id, key_id, identifiers
)
select %(account_id)s::integer, %(at)s::timestamptz, 'added', 'with_visitor', contact_id, 'visited', '', 0,
       jsonb_agg(jsonb_build_object('kind', 'web_token', 'value', value) order by value)
from given
group by contact_id

-- name: expire_claims
-- Claims whose person has not come in 30 days; what waited with them stays nobody's.
with gone as (
    delete from claim
    where account_id = %(account_id)s
      and (kind, value_key) in (
          select kind, value_key
          from claim
          where account_id = %(account_id)s
            and expires_at <= %(at)s
          limit 1000
      )
    returning kind, value_key, external_key, email, phone
),
turned as (
    update visitor_span s
    set state = 2
    from gone g
    cross join lateral (
        select owner_id, state
        from visitor_span
        where account_id = %(account_id)s
          and kind = g.kind
          and value_key = g.value_key
        order by since  -- so that each is looked up by its key, in a young table too
    ) o
    where s.account_id = %(account_id)s
      and s.owner_id = o.owner_id
      and o.state = 3
)
select kind, value_key from gone

-- name: forget_stubs
-- What waited for e-mails and phones that no claim names any more, some of them; index
-- identifier_by_contact.
delete from identifier i
where i.account_id = %(account_id)s
  and (i.kind, i.value_key, i.ordinal) in (
      select s.kind, s.value_key, s.ordinal
      from identifier s
      where s.account_id = %(account_id)s
        and s.contact_id < 0
        and s.kind in (2, 3)
        and not exists (
            select from claim c
            where c.account_id = %(account_id)s
              and (s.kind = 2 and c.email = s.value_key or s.kind = 3 and c.phone = s.value_key)
        )
      limit 1000
  )
returning i.value_key
