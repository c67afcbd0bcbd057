-- name: choose_account
-- The account that is looked at, '' for all, for this transaction.
select set_config('kartoteka.account', %(account)s, true)

-- name: make_kinds
-- Kinds by number and name, for this transaction.
create temp table verify_kind (kind smallint, name text) on commit drop

-- name: fill_kinds
-- Kinds by number and name.
insert into verify_kind
select * from unnest(%(codes)s::smallint[], %(names)s::text[]) as k (kind, name)

-- name: replay_identifiers
-- What the history says of every identifier, told from its first row to its last, into an empty table.
-- Each row of the history is told to the contact that it is about and to the one it came from; the last
-- word about a contact and an identifier counts.
create temp table replayed_identifier on commit drop as
select said.account_id, said.kind, said.value, said.contact_id, (said.last / 2)::bigint as history_id
from (
    select h.account_id, who.contact_id, k.kind, i.one ->> 'value' as value,
           max(h.history_id * 2
               + (who.subject and h.action not in ('dropped', 'quarantined'))::integer) as last
    from identity_history h
    cross join lateral (values (h.contact_id, true), (h.other_contact_id, false)) as who (contact_id, subject)
    cross join lateral jsonb_array_elements(h.identifiers) as i (one)
    join verify_kind k on k.name = i.one ->> 'kind'
    where h.action not in ('said', 'refused')
      and who.contact_id is not null
      and (nullif(current_setting('kartoteka.account'), '')::integer is null or h.account_id = nullif(current_setting('kartoteka.account'), '')::integer)
    group by h.account_id, who.contact_id, k.kind, i.one ->> 'value'
) said
where said.last % 2 = 1

-- name: stored_identifiers
-- What stands.
create temp table stored_identifier on commit drop as
select account_id, kind, coalesce(long_value, value_key) as value, contact_id
from identifier
where contact_id > 0
  and (nullif(current_setting('kartoteka.account'), '')::integer is null or account_id = nullif(current_setting('kartoteka.account'), '')::integer)

-- name: forgive_erased
-- What somebody had before it moved to a person who was erased since is not told any more (D29).
delete from replayed_identifier r
using (
    select account_id, other_contact_id, max(history_id) as history_id
    from identity_history
    where other_contact_id is not null
      and identifiers is null
      and action <> 'refused'
    group by account_id, other_contact_id
) gone
where gone.account_id = r.account_id
  and gone.other_contact_id = r.contact_id
  and gone.history_id > r.history_id
  and not exists (
      select from stored_identifier s
      where s.account_id = r.account_id
        and s.kind = r.kind
        and s.value = r.value
        and s.contact_id = r.contact_id
  )

-- name: replay_cards
-- What the history says of every card: whether it is there, and into which it was merged.
create temp table replayed_card on commit drop as
select said.account_id, said.contact_id, (said.last % 4)::smallint as status,
       case when said.last % 4 = 2 then m.contact_id end as merged_into
from (
    select account_id, contact_id, max(history_id * 4 + status) as last
    from (
        select account_id, contact_id, history_id,
               case action when 'removed' then 1 when 'erased' then 3 else 0 end as status
        from identity_history
        where action in ('created', 'restored', 'undone', 'removed', 'erased')
        union all
        select account_id, other_contact_id, history_id, 2
        from identity_history
        where action = 'absorbed'
    ) one
    where (nullif(current_setting('kartoteka.account'), '')::integer is null or account_id = nullif(current_setting('kartoteka.account'), '')::integer)
    group by account_id, contact_id
) said
left join identity_history m
  on m.account_id = said.account_id
 and m.history_id = said.last / 4

-- name: stored_cards
-- What stands; who was merged into somebody who was erased since is erased too, and still leads there.
create temp table stored_card on commit drop as
select account_id, contact_id,
       (case when status = 3 and merged_into is not null then 2 else status end)::smallint as status,
       merged_into
from contact
where (nullif(current_setting('kartoteka.account'), '')::integer is null or account_id = nullif(current_setting('kartoteka.account'), '')::integer)

-- name: fingerprints
-- Count and hash of each table, whatever the order of its rows.
select 'identifiers told', count(*), coalesce(sum(hashtextextended(
           concat_ws('|', account_id, kind, contact_id, value), 0)::numeric), 0)::text
from replayed_identifier
union all
select 'identifiers stored', count(*), coalesce(sum(hashtextextended(
           concat_ws('|', account_id, kind, contact_id, value), 0)::numeric), 0)::text
from stored_identifier
union all
select 'cards told', count(*), coalesce(sum(hashtextextended(
           concat_ws('|', account_id, contact_id, status, coalesce(merged_into, 0)), 0)::numeric), 0)::text
from replayed_card
union all
select 'cards stored', count(*), coalesce(sum(hashtextextended(
           concat_ws('|', account_id, contact_id, status, coalesce(merged_into, 0)), 0)::numeric), 0)::text
from stored_card

-- name: different_identifiers
-- Which identifiers stand where the history does not say, or not where it says.
select account_id, k.name, value, r.contact_id, s.contact_id
from replayed_identifier r
full join stored_identifier s using (account_id, kind, value, contact_id)
join verify_kind k using (kind)
where r.contact_id is null
   or s.contact_id is null
order by 1, 2, 3
limit 1000

-- name: different_cards
-- Which cards are not what the history says.
select account_id, contact_id, r.status, r.merged_into, s.status, s.merged_into
from replayed_card r
full join stored_card s using (account_id, contact_id)
where r.status is distinct from s.status
   or r.merged_into is distinct from s.merged_into
order by 1, 2
limit 1000

-- name: different_columns
-- Cards whose External ID, e-mail or phone is not the identifier that stands on them.
select c.account_id, c.contact_id, k.name
from contact c
cross join lateral (values (1, c.external_id), (2, c.email), (3, c.phone)) as named (kind, value)
join verify_kind k on k.kind = named.kind
left join identifier i
  on i.account_id = c.account_id
 and i.contact_id = c.contact_id
 and i.kind = named.kind
 and not i.former
where named.value is distinct from coalesce(i.long_value, i.value_key)
  and (nullif(current_setting('kartoteka.account'), '')::integer is null or c.account_id = nullif(current_setting('kartoteka.account'), '')::integer)
order by 1, 2
limit 1000

-- name: different_counts
-- Cards that say another number of former External IDs than stand on them, or of cards that they hold than
-- were merged into them; and identifiers whose home is not among those.
with recursive inside as (
    select account_id, contact_id as part, merged_into as holder
    from contact
    where merged_into is not null
      and status = 2
      and (nullif(current_setting('kartoteka.account'), '')::integer is null or account_id = nullif(current_setting('kartoteka.account'), '')::integer)
    union
    select i.account_id, i.part, c.merged_into
    from inside i
    join contact c on c.account_id = i.account_id and c.contact_id = i.holder
    where c.merged_into is not null
),
held as (
    select account_id, holder, count(*) as parts from inside group by 1, 2
),
former as (
    select account_id, contact_id, count(*) as number
    from identifier
    where former
      and contact_id > 0
    group by 1, 2
)
(
    select c.account_id, c.contact_id, 'former_external_ids', coalesce(f.number, 0)::text, c.former_ids::text
    from contact c
    left join former f using (account_id, contact_id)
    where c.former_ids <> coalesce(f.number, 0)
      and (nullif(current_setting('kartoteka.account'), '')::integer is null or c.account_id = nullif(current_setting('kartoteka.account'), '')::integer)
    order by 1, 2
    limit 1000
)
union all
(
    select c.account_id, c.contact_id, 'merges', coalesce(h.parts, 0)::text, c.merges::text
    from contact c
    left join held h on h.account_id = c.account_id and h.holder = c.contact_id
    where c.merges <> coalesce(h.parts, 0)
      and c.status < 2
      and (nullif(current_setting('kartoteka.account'), '')::integer is null or c.account_id = nullif(current_setting('kartoteka.account'), '')::integer)
    order by 1, 2
    limit 1000
)
union all
(
    select i.account_id, i.contact_id, k.name, 'of a card that it holds', 'of ' || i.home
    from identifier i
    join verify_kind k using (kind)
    where i.home is not null
      and i.contact_id > 0
      and not exists (
          select from inside p
          where p.account_id = i.account_id and p.part = i.home and p.holder = i.contact_id
      )
      and (nullif(current_setting('kartoteka.account'), '')::integer is null or i.account_id = nullif(current_setting('kartoteka.account'), '')::integer)
    order by 1, 2
    limit 1000
)
