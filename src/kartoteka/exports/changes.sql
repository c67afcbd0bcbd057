-- name: make_tables
-- What changed since a mark, for the length of the reading transaction.
create temporary table changed_contact (contact_id bigint primary key) on commit drop;
create temporary table changed_redirect (contact_id bigint primary key) on commit drop;
create temporary table changed_segment (segment_id integer primary key) on commit drop;
create temporary table changed_owner (owner_id bigint primary key) on commit drop;
create temporary table changed_event (occurred timestamptz, event_id bigint, primary key (occurred, event_id))
    on commit drop;
create temporary table changed_order (order_id bigint primary key) on commit drop;
create temporary table owner_elsewhere (owner_id bigint primary key, contact_id bigint not null)
    on commit drop

-- name: empty_tables
-- For the next mark.
truncate pg_temp.changed_contact, pg_temp.changed_redirect, pg_temp.changed_segment, pg_temp.changed_owner,
    pg_temp.changed_event, pg_temp.changed_order, pg_temp.owner_elsewhere

-- name: snapshot
-- What this transaction sees, and the next transaction id that nobody has yet.
select pg_current_snapshot()::text, pg_snapshot_xmax(pg_current_snapshot())::text

-- name: is_readable
-- Whether everything since this mark can still be found: false after rows of `change` were dropped
-- that it had not seen, and where the mark is of another history of this database (restored from an
-- older copy, or moved to a cluster that counts anew).
select pg_snapshot_xmax(%(mark)s::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
   and not exists (
       select from change_dropped
       where account_id = %(account_id)s
         and below > pg_snapshot_xmin(%(mark)s::pg_snapshot)
   )

-- name: has_changes
-- Whether anything at all changed since this mark; index change_by_xid.
select exists (
    select from change
    where account_id = %(account_id)s
      and xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
      and not pg_visible_in_snapshot(xid, %(mark)s::pg_snapshot)
)

-- name: fill_contacts
-- Contacts that changed; index change_by_xid.
insert into changed_contact
select distinct unnest(contact_ids)
from change
where account_id = %(account_id)s
  and xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
  and not pg_visible_in_snapshot(xid, %(mark)s::pg_snapshot)

-- name: fill_segments
-- Segments whose members changed as a whole; index change_by_xid.
insert into changed_segment
select distinct unnest(segment_ids)
from change
where account_id = %(account_id)s
  and xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
  and not pg_visible_in_snapshot(xid, %(mark)s::pg_snapshot)

-- name: fill_redirects
-- Changed contacts and all that were merged into them: their survivor may be another now; index
-- contact_by_survivor.
insert into changed_redirect
with recursive person as (
    select contact_id from changed_contact
    union
    select c.contact_id
    from person p
    join contact c on c.account_id = %(account_id)s and c.merged_into = p.contact_id
)
select contact_id from person

-- name: fill_owners
-- Owners whose activity passed to another contact as a whole: those that were noted, and those of
-- contacts that came back from a merge (they were absorbed once, and are not now). Indexes
-- change_by_xid, identity_history_by_other, contact_by_survivor, visitor_span_by_contact.
insert into changed_owner
with recursive noted as (
    select distinct unnest(owner_ids) as owner_id
    from change
    where account_id = %(account_id)s
      and xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
      and not pg_visible_in_snapshot(xid, %(mark)s::pg_snapshot)
),
back as (
    select n.contact_id
    from changed_contact n
    join contact c
      on c.account_id = %(account_id)s
     and c.contact_id = n.contact_id
     and c.status < 2
    where exists (
        select from identity_history h
        where h.account_id = %(account_id)s
          and h.other_contact_id = n.contact_id
          and h.action = 'absorbed'
    )
    union
    select c.contact_id
    from back b
    join contact c
      on c.account_id = %(account_id)s
     and c.merged_into = b.contact_id
     and c.status = 2
)
select owner_id from noted
union
select contact_id from back
union
select v.owner_id
from back b
join visitor_span v
  on v.account_id = %(account_id)s
 and v.contact_id = b.contact_id

-- name: fill_events
-- Events that were written, and all of those owners; indexes change_by_xid, event_by_owner.
insert into changed_event
select e.occurred, e.event_id
from change n
cross join lateral unnest(n.event_times, n.event_ids) as e (occurred, event_id)
where n.account_id = %(account_id)s
  and n.xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
  and not pg_visible_in_snapshot(n.xid, %(mark)s::pg_snapshot)
union
select e.occurred, e.event_id
from changed_owner w
join event e
  on e.account_id = %(account_id)s
 and e.owner_id = w.owner_id

-- name: fill_orders
-- Orders that were written or deleted, and all of those owners; indexes change_by_xid, orders_by_owner.
insert into changed_order
select unnest(order_ids)
from change
where account_id = %(account_id)s
  and xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
  and not pg_visible_in_snapshot(xid, %(mark)s::pg_snapshot)
union
select o.order_id
from changed_owner w
join orders o
  on o.account_id = %(account_id)s
 and o.owner_id = w.owner_id

-- name: fill_elsewhere
-- Whose the activity of owners is that are not themselves a live or removed card: spans of visitors and
-- retired cards, followed through any chain. Primary keys, indexes contact_by_survivor,
-- visitor_span_by_owner.
insert into owner_elsewhere
with recursive asked as (
    select owner_id from event e
    join changed_event n on e.account_id = %(account_id)s and e.occurred = n.occurred and e.event_id = n.event_id
    where not %(everything)s
    union
    select o.owner_id from orders o
    join changed_order n on o.account_id = %(account_id)s and o.order_id = n.order_id
    where not %(everything)s
),
start as (
    select v.owner_id, v.contact_id
    from visitor_span v
    where v.account_id = %(account_id)s
      and v.contact_id is not null
      and (%(everything)s or v.owner_id = any(array(select owner_id from asked)))
    union all
    select c.contact_id, c.merged_into
    from contact c
    where c.account_id = %(account_id)s
      and c.merged_into is not null
      and c.status = 2
      and (%(everything)s or c.contact_id = any(array(select owner_id from asked)))
),
up as (
    select owner_id, contact_id from start
    union
    select u.owner_id, c.merged_into
    from up u
    join contact c
      on c.account_id = %(account_id)s
     and c.contact_id = u.contact_id
     and c.status = 2
)
select u.owner_id, u.contact_id
from up u
join contact c
  on c.account_id = %(account_id)s
 and c.contact_id = u.contact_id
 and c.status < 2

-- name: analyse
-- Sizes for the planner: a temporary table has none.
analyze pg_temp.changed_contact, pg_temp.changed_redirect, pg_temp.changed_segment, pg_temp.changed_event,
    pg_temp.changed_order, pg_temp.owner_elsewhere

-- name: changed_months
-- Months of changed events.
select distinct to_char(occurred at time zone 'UTC', 'YYYY-MM') as month
from pg_temp.changed_event
order by month

-- name: changed_between
-- The first and the last of those times.
select min(occurred), max(occurred) from pg_temp.changed_event
