"""What holds in the database after every step, whoever wrote and whatever went wrong meanwhile.

`violations(connection)` is the one function; an empty list means that all is well.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg

from kartoteka.db.database import Database
from kartoteka.identity.kinds import KINDS
from kartoteka.identity.model import Status
from kartoteka.identity.verify import Verified, verify

LIVE, REMOVED, MERGED, ERASED = (
    int(one) for one in (Status.LIVE, Status.REMOVED, Status.MERGED, Status.ERASED)
)

CHECKS = {
    "an External ID stands on two contacts (D11)": """
        select account_id, value_key, array_agg(contact_id)
        from identifier
        where kind = %(external_id)s
        group by account_id, value_key
        having count(*) > 1
    """,
    "an exclusive identifier has two owners (D2)": """
        select account_id, kind, value_key, ordinal
        from identifier
        where kind = any(%(exclusive)s::smallint[]) and ordinal <> 0
    """,
    "a contact has one shareable identifier twice": """
        select account_id, kind, value_key, contact_id
        from identifier
        group by account_id, kind, value_key, contact_id
        having count(*) > 1
    """,
    "a contact disagrees with its identifier rows (D5, D11)": """
        select c.account_id, c.contact_id, c.external_id, c.email, c.phone, c.former_ids, held.*
        from contact c
        cross join lateral (
            select coalesce(array_agg(v) filter (where k = %(external_id)s and not former), '{}') as x,
                   coalesce(array_agg(v) filter (where k = %(email)s), '{}') as e,
                   coalesce(array_agg(v) filter (where k = %(phone)s), '{}') as p,
                   count(*) filter (where former) as f
            from (
                select i.kind as k, coalesce(i.long_value, i.value_key) as v, i.former
                from identifier i
                where i.account_id = c.account_id and i.contact_id = c.contact_id
            ) one
        ) held
        where array_remove(array[c.external_id], null) <> held.x
           or array_remove(array[c.email], null) <> held.e
           or array_remove(array[c.phone], null) <> held.p
           or c.former_ids <> held.f
    """,
    "an identifier stands on a missing, retired or erased contact": """
        select i.account_id, i.kind, i.value_key, i.contact_id, c.status
        from identifier i
        left join contact c using (account_id, contact_id)
        where i.contact_id > 0 and (c.status is null or c.status not in (%(live)s, %(removed)s))
    """,
    "a retired id leads nowhere (D14)": """
        with recursive way as (
            select account_id, contact_id, merged_into as next, 1 as steps
            from contact
            where status = %(merged)s
            union all
            select w.account_id, w.contact_id, c.merged_into, w.steps + 1
            from way w
            join contact c on c.account_id = w.account_id and c.contact_id = w.next
            where c.status = %(merged)s and w.steps < 100
        )
        select w.*
        from way w
        left join contact c on c.account_id = w.account_id and c.contact_id = w.next
        where w.steps = 100 or c.status is null or c.status = %(erased)s
    """,
    "a card that is neither retired nor erased was merged into another": """
        select account_id, contact_id, status, merged_into
        from contact
        where (status in (%(live)s, %(removed)s) and merged_into is not null)
           or (status = %(merged)s and merged_into is null)
           or (status = %(removed)s) <> (removed_at is not null) and status in (%(live)s, %(removed)s)
    """,
    "a retired or erased card still says something of the person (D14, D29)": """
        select account_id, contact_id, status
        from contact
        where status in (%(merged)s, %(erased)s)
          and (coalesce(external_id, email, phone, first_name, last_name, contact_key, language_code,
                        time_zone, region, town, address, postcode) is not null
               or fields <> '{}' or consent <> '{}' or former_ids <> 0)
    """,
    "something of an erased or missing contact is left (D29)": """
        select account_id, contact_id, what
        from (
            select account_id, contact_id, 'list' as what from segment_member
            union all
            select account_id, owner_id, 'event' from event
            where owner_id in (select contact_id from contact)
            union all
            select account_id, owner_id, 'order' from orders
            union all
            select account_id, owner_id, 'totals' from order_totals
            union all
            select account_id, contact_id, 'replay' from replay where contact_id is not null
            union all
            select account_id, contact_id, 'token' from access_token where contact_id is not null
            union all
            select account_id, contact_id, 'history' from identity_history
            where identifiers is not null or snapshot is not null
        ) trace
        left join contact c using (account_id, contact_id)
        where c.status is null or c.status = %(erased)s
    """,
    "the totals of an owner are not what its orders say (wire 5.1)": """
        select account_id, owner_id, currency, o.*, t.*
        from (
            select account_id, owner_id, currency, count(*)::integer as orders,
                   (count(*) filter (where status = 2))::integer as delivered,
                   coalesce(sum(total_cost) filter (where status = 2), 0) as delivered_sum,
                   min(ordered_at) filter (where status = 2) as first_delivered,
                   max(ordered_at) filter (where status = 2) as last_delivered
            from orders
            group by account_id, owner_id, currency
        ) o
        full join order_totals t using (account_id, owner_id, currency)
        where (o.orders, o.delivered, o.delivered_sum, o.first_delivered, o.last_delivered)
              is distinct from
              (t.orders, t.delivered, t.delivered_sum, t.first_delivered, t.last_delivered)
    """,
    "an item belongs to no order": """
        select account_id, order_id, position
        from order_item i
        where not exists (
            select from orders o where o.account_id = i.account_id and o.order_id = i.order_id
        )
    """,
    "the present status of an order was not told of by an event (wire 5.1)": """
        select o.account_id, o.external_order_id, o.status
        from orders o
        where not exists (
            select
            from event e
            where e.account_id = o.account_id
              and e.key_value = o.external_order_id
              and e.type_key = 'order' || (array['INITIALIZED', 'IN_PROGRESS', 'DELIVERED', 'CANCELLED',
                                                 'ABANDONED_SHOPPING_CART'])[o.status + 1]
        )
    """,
    "an event belongs to nobody, neither contact nor visitor": """
        select account_id, owner_id, type_key
        from event e
        where owner_id <> 0
          and not exists (select from contact where account_id = e.account_id and contact_id = e.owner_id)
          and not exists (
              select from visitor_span where account_id = e.account_id and owner_id = e.owner_id
          )
    """,
    "something waits for an identifier, but not in its last span (0014)": """
        select i.account_id, i.kind, i.value_key, i.contact_id, s.owner_id, s.contact_id
        from identifier i
        left join lateral (
            select * from visitor_span s
            where s.account_id = i.account_id and s.kind = i.kind and s.value_key = i.value_key
            order by since desc
            limit 1
        ) s on true
        where i.contact_id < 0
          and (s.owner_id is distinct from -i.contact_id or s.contact_id is not null)
          and not (  -- a web push token waits with its visitor
              i.kind = 5
              and exists (
                  select from visitor_span v
                  where v.account_id = i.account_id
                    and v.owner_id = -i.contact_id
                    and v.contact_id is null
              )
          )
    """,
    "spans of one identifier do not begin at the beginning of time (0014)": """
        select account_id, kind, value_key
        from visitor_span
        group by account_id, kind, value_key
        having min(since) <> '-infinity'
    """,
    "a span belongs to a contact that is missing or erased (D29)": """
        select s.account_id, s.kind, s.value_key, s.contact_id, c.status
        from visitor_span s
        left join contact c using (account_id, contact_id)
        where s.contact_id is not null
          and (c.status is null or c.status = %(erased)s)
           or (s.contact_id is null) = (s.state = 1)
    """,
    "what waited for an identifier did not come to whoever got it (0014)": """
        select i.account_id, i.kind, i.value_key, i.contact_id, s.owner_id
        from identifier i
        join lateral (
            select * from visitor_span s
            where s.account_id = i.account_id and s.kind = i.kind and s.value_key = i.value_key
            order by since desc
            limit 1
        ) s on s.contact_id is null
        where i.contact_id > 0
          and s.owner_id in (select owner_id from event)
          and s.state = 0
    """,
    "a list of a retired contact did not pass to its survivor (D14)": """
        with recursive way as (
            select account_id, contact_id, merged_into as next
            from contact
            where status = %(merged)s
            union
            select w.account_id, w.contact_id, c.merged_into
            from way w
            join contact c on c.account_id = w.account_id and c.contact_id = w.next
            where c.status = %(merged)s
        )
        select m.account_id, m.contact_id, m.segment_id, w.next
        from way w
        join segment_member m on m.account_id = w.account_id and m.contact_id = w.contact_id
        join contact c on c.account_id = w.account_id and c.contact_id = w.next
        where c.status in (%(live)s, %(removed)s)
          and not exists (
              select from segment_member s
              where s.account_id = w.account_id
                and s.contact_id = w.next
                and s.segment_id = m.segment_id
          )
    """,
    "the history does not explain an identifier (D26)": """
        select i.account_id, i.kind, i.value_key, i.contact_id, last.action, last.contact_id
        from identifier i
        join unnest(%(kinds)s::smallint[], %(names)s::text[]) as k (kind, name) using (kind)
        left join lateral (
            select h.action, h.contact_id
            from identity_history h
            where h.account_id = i.account_id
              and i.contact_id in (h.contact_id, h.other_contact_id)
              and h.identifiers @> jsonb_build_array(
                  jsonb_build_object('kind', k.name, 'value', coalesce(i.long_value, i.value_key))
              )
              and h.action <> 'said'
            order by h.history_id desc
            limit 1
        ) last on true
        where i.contact_id > 0
          and (last.contact_id is distinct from i.contact_id
               or last.action not in ('created', 'added', 'moved', 'absorbed', 'external_id_set',
                                      'external_id_replaced', 'undone', 'claimed'))
    """,
    "the history tells of an identifier that is not there (D26, D29)": """
        select said.*
        from (
            select distinct on (h.account_id, who.contact_id, i.one)
                   h.account_id, who.contact_id, i.one, h.contact_id as subject, h.action,
                   h.history_id
            from identity_history h
            cross join lateral (values (h.contact_id), (h.other_contact_id)) as who (contact_id)
            cross join lateral jsonb_array_elements(h.identifiers) as i (one)
            where who.contact_id is not null
              and h.action <> 'said'
            order by h.account_id, who.contact_id, i.one, h.history_id desc
        ) said
        join unnest(%(kinds)s::smallint[], %(names)s::text[]) as k (kind, name)
          on k.name = said.one ->> 'kind'
        where said.subject = said.contact_id
          and said.action not in ('dropped', 'quarantined')
          and not exists (
              select from identifier i
              where i.account_id = said.account_id
                and i.contact_id = said.contact_id
                and i.kind = k.kind
                and coalesce(i.long_value, i.value_key) = said.one ->> 'value'
          )
          and not exists (  -- to somebody who was erased since: what moved is not told any more
              select from identity_history later
              where later.account_id = said.account_id
                and later.other_contact_id = said.contact_id
                and later.history_id > said.history_id
                and later.identifiers is null
          )
    """,
    "a card holds more or fewer others than were merged into it (D28)": """
        with recursive inside as (
            select account_id, contact_id as holder, contact_id from contact where merged_into is null
            union all
            select c.account_id, i.holder, c.contact_id
            from inside i
            join contact c on c.account_id = i.account_id and c.merged_into = i.contact_id
        )
        select c.account_id, c.contact_id, c.merges, count(*) - 1 as inside
        from contact c
        join inside i on i.account_id = c.account_id and i.holder = c.contact_id
        where c.status in (%(live)s, %(removed)s)
        group by c.account_id, c.contact_id, c.merges
        having c.merges <> count(*) - 1
    """,
    "the home of an identifier is no card that was merged into its contact (D28)": """
        select i.account_id, i.kind, i.value_key, i.contact_id, i.home
        from identifier i
        join contact c on c.account_id = i.account_id and c.contact_id = i.home
        where c.status <> %(merged)s
    """,
    "the statement of an import is not what its batches say": """
        select b.account_id, b.import_id, b.rows, b.counted, s.lines, s.beyond
        from (
            select account_id, import_id, sum(last_row - first_row + 1)::bigint as rows,
                   sum((select sum(n) from unnest(counts) as n))::bigint as counted
            from import_batch
            group by account_id, import_id
        ) b
        full join (
            select r.account_id, r.import_id, count(*) as lines, count(*) filter (
                       where not exists (
                           select from import_batch
                           where account_id = r.account_id
                             and import_id = r.import_id
                             and r.row_number between first_row and last_row
                       )
                   ) as beyond
            from import_row r
            group by r.account_id, r.import_id
        ) s using (account_id, import_id)
        where (b.rows, b.counted, s.beyond) is distinct from (s.lines, s.lines, 0::bigint)
    """,
    "a line of a statement names a contact that does not exist": """
        select r.account_id, r.import_id, r.row_number, r.contact_id
        from import_row r
        left join contact c using (account_id, contact_id)
        where r.contact_id is not null
          and c.contact_id is null
    """,
    "a line of a statement still says something of an erased person (D29)": """
        select r.account_id, r.import_id, r.row_number
        from import_row r
        join contact c using (account_id, contact_id)
        where c.status = %(erased)s
          and r.value is not null
    """,
    "rows wait for an import that is over": """
        select account_id, import_id, i.state
        from import_payload
        left join import i using (account_id, import_id)
        where i.state is null or i.state in ('finished', 'cancelled')
    """,
    "the history names a contact that does not exist": """
        select h.account_id, h.history_id, h.contact_id, h.other_contact_id
        from identity_history h
        where not exists (
                  select from contact c
                  where c.account_id = h.account_id and c.contact_id = h.contact_id
              )
           or h.other_contact_id is not null
              and not exists (
                  select from contact c
                  where c.account_id = h.account_id and c.contact_id = h.other_contact_id
              )
    """,
}

_PARAMETERS: dict[str, Any] = {
    "external_id": next(kind.code for kind in KINDS if kind.name == "external_id"),
    "email": next(kind.code for kind in KINDS if kind.name == "email"),
    "phone": next(kind.code for kind in KINDS if kind.name == "phone"),
    "exclusive": [kind.code for kind in KINDS if kind.exclusive],
    "kinds": [kind.code for kind in KINDS],
    "names": [kind.name for kind in KINDS],
    "live": LIVE,
    "removed": REMOVED,
    "merged": MERGED,
    "erased": ERASED,
}

_EVERYTHING = "select jsonb_object_agg(claim, rows) from (\n{}\n) found where rows is not null".format(
    "\nunion all\n".join(
        f"select '{claim}' as claim, (select jsonb_agg(row_to_json(bad)) from ({sql}) bad) as rows"
        for claim, sql in CHECKS.items()
    )
)


def violations(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Each broken claim with the rows that break it; empty when all hold."""
    row = connection.execute(_EVERYTHING, _PARAMETERS).fetchone()  # type: ignore[call-overload]
    return (row[0] if row else None) or {}


async def _verified(url: str) -> Verified:
    database = await Database.open(url, max_size=1)
    try:
        return await verify(database)
    finally:
        await database.close()


def check(url: str) -> None:
    """Fail, naming what is broken, unless everything holds in the database of that URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        broken = violations(connection)
    with ThreadPoolExecutor(1) as thread:  # the caller may have a loop of its own
        verified = thread.submit(asyncio.run, _verified(url)).result()
    if verified.differences:
        broken["the history replayed says something else"] = verified.differences
    if broken:
        raise AssertionError(msgspec.json.format(msgspec.json.encode(broken)).decode())
