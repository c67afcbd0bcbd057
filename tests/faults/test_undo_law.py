"""The law of undo on PostgreSQL (decisions D28): the database comes to what the world in memory says
of the two contacts that were never merged. A smaller number than tests/rules has."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from kartoteka.activity.orders.model import Order, OrderStatus
from kartoteka.contacts.model import Command
from kartoteka.errors import KartotekaError
from kartoteka.identity.model import Settings
from tests.conftest import fresh_database
from tests.faults.conftest import open_shop
from tests.rules import stories
from tests.rules.identity.test_undo_law import AFTER, BEFORE, undo
from tests.rules.identity.undo_law import Pair, cleared_in, same
from tests.rules.world import World

CARD = """
    select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, fields,
           consent, source, keyed, created_at, updated_at, removed_at, merged_into
    from contact order by contact_id
"""
HELD = """
    select kind, value_key, contact_id, former, since, rule, app, device, home
    from identifier where contact_id > 0 order by kind, value_key, contact_id
"""
MEMBERS = """
    select s.name, m.contact_id from segment_member m join segment s using (account_id, segment_id)
    join contact c on c.account_id = m.account_id and c.contact_id = m.contact_id and c.status <> 2
    order by s.name, m.contact_id
"""
EVENTS = """
    select coalesce(w.contact_id, 0), e.type_key, e.key_value, e.occurred, e.received
    from event e
    left join lateral contacts_of(e.account_id, array[e.owner_id]) w on true
    order by e.event_id
"""
TOTALS = """
    select w.contact_id, t.currency, sum(t.orders), sum(t.delivered), sum(t.delivered_sum)
    from order_totals t
    cross join lateral contacts_of(t.account_id, array[t.owner_id]) w
    where t.orders > 0
    group by 1, 2 order by 1, 2
"""
ORDERS = """
    select external_order_id, owner_id, status, total_cost, currency, ordered_at, updated_at, email
    from orders order by 1
"""
SPANS = """
    select kind, value_key, nullif(since, '-infinity'), contact_id, state
    from visitor_span where kind > 0 order by kind, value_key, since
"""
CLAIMS = "select kind, value_key, external_key, email, phone from claim order by 1, 2"
REFUSALS = "select kind, value_key, state from address_refusal where state > 0 order by 1, 2"
SUPPRESSED = "select kind, contact_id, refusal from suppression order by 1, 2, 3"
CATEGORIES = "select key from subscription_category order by 1"


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_on_postgresql_too(postgres_url: str, data: Any) -> None:
    before, after = data.draw(BEFORE), data.draw(AFTER)
    before = [one for one in before if not _names_a_list(one)]
    world = World(Settings())
    world.segmented("bought")
    told = _tell(world, before)
    live = world.live()
    assume(len(live) > 1)
    keep, absorb = data.draw(st.permutations(live))[:2]
    pair = Pair(world, keep, absorb, first=None)
    pair.join()
    told.append((stories.merge(keep, absorb), pair.merged.now))
    for command in after:
        if not _names_a_list(command) and pair.send(command):
            told.append((command, pair.merged.now))
    event(f"{min(pair.told, 4)} since")
    undo(pair.merged, pair.merge)
    assert same(pair.merged, pair.apart) == []
    with fresh_database(postgres_url) as url:
        asyncio.run(_compare(url, told, pair))


def _names_a_list(command: Command) -> bool:
    """By its id, which is another one in the database."""
    return type(command).__name__ in ("AttachContacts", "DetachContacts")


def _tell(world: World, commands: list[Command]) -> list[tuple[Command, Any]]:
    told = []
    for command in commands:
        world.batch([command])
        told.append((command, world.now))
    return told


async def _compare(url: str, told: list[tuple[Command, Any]], pair: Pair) -> None:
    async with open_shop(url) as shop:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "insert into event_type (account_id, key, segmentation, created_at)"
                " values (%s, 'bought', true, now())",
                [shop.account.account_id],
            )
        for command, at in told:
            with contextlib.suppress(KartotekaError):
                await shop.send(command, at)
        [(merge_id,)] = shop.rows(
            "select history_id from identity_history where action = 'absorbed'"
            " and contact_id = %(a)s and other_contact_id = %(b)s",
            a=pair.keep,
            b=pair.absorb,
        )
        await shop.send(stories.undo(merge_id), told[-1][1] + timedelta(minutes=1))
        shop.check()
        assert _stored(url, pair) == _never_merged(pair)


def _stored(url: str, pair: Pair) -> dict[str, Any]:
    """What the database says."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")

        def rows(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(statement).fetchall()

        cleared = cleared_in(pair.merged)
        return {
            "cards": rows(CARD),
            "held": rows(HELD),
            "members": rows(MEMBERS),
            "events": Counter(rows(EVENTS)),
            "orders": rows(ORDERS),
            "totals": rows(TOTALS),
            "spans": [row for row in rows(SPANS) if row[1] not in cleared],
            "claims": rows(CLAIMS),
            "refusals": rows(REFUSALS),
            "suppressed": rows(SUPPRESSED),
            "categories": rows(CATEGORIES),
        }


def _never_merged(pair: Pair) -> dict[str, Any]:
    """What the world without the merge says."""
    world = pair.apart
    names = [one.strip() for one in CARD.partition("from")[0].replace("select", "").split(",")]
    columns = [one.strip() for one in HELD.partition("from")[0].replace("select", "").split(",")]
    held = [one for who in world.cards for one in world.held(who)]
    owners = {span.owner_id: span.contact_id for spans in world.spans.values() for span in spans}

    def whose(owner: int) -> int:
        contact = owners.get(owner, owner)
        known = contact is not None and contact in world.cards
        return world.survivor(contact) if contact is not None and known else 0

    happened = [
        (whose(one.owner_id), one.type_key, one.key_value, one.occurred, one.received)
        for one in world.happened
    ]
    caused = [
        (world.survivor(who), key, world.event_keys[place], *([world.event_times[place]] * 2))
        for place, (who, key, _) in enumerate(world.owned)
    ]
    orders = [world.orders[number] for number in sorted(world.orders)]
    cleared = cleared_in(pair.merged)
    return {
        "cards": [
            tuple(getattr(world.card(who), name) for name in names) for who in sorted(world.cards)
        ],
        "held": sorted(
            (tuple(getattr(one, name) for name in columns) for one in held),
            key=lambda row: row[:3],
        ),
        "members": sorted(
            (name, who)
            for name, members in world.lists.items()
            for who in members
            if world.status(who) != "merged"
        ),
        "events": Counter(happened + caused),
        "orders": [
            (
                *(one.external_order_id, one.owner_id, one.status, one.total_cost, one.currency),
                *(one.ordered_at, one.updated_at, one.email),
            )
            for one in orders
        ],
        "totals": _totals(orders, whose),
        "spans": [
            (*key, span.since, span.contact_id, span.state)
            for key, spans in sorted(world.spans.items())
            for span in spans
            if key[0] > 0 and key[1] not in cleared
        ],
        "claims": sorted(
            (*key, one.external_key, one.email, one.phone) for key, one in world.claims.items()
        ),
        "refusals": sorted((*key, state) for key, state in world.refusals.items() if state),
        "suppressed": sorted(
            (
                (key[0], who, refusal)
                for key, of in world.suppressions.items()
                for who, refusal in of.items()
            ),
            key=lambda row: (row[0], row[1], row[2] is None, row[2]),
        ),
        "categories": sorted((key,) for key in world.categories),
    }


def _totals(orders: list[Order], whose: Callable[[int], int]) -> list[tuple[Any, ...]]:
    found: dict[tuple[int, str], list[Any]] = {}
    for one in orders:
        sums = found.setdefault((whose(one.owner_id), one.currency), [0, 0, 0])
        delivered = one.status == OrderStatus.DELIVERED
        for place, more in enumerate((1, int(delivered), one.counted or 0)):
            sums[place] += more
    return [(*key, *sums) for key, sums in sorted(found.items())]
