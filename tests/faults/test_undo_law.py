"""The law of undo on PostgreSQL (decisions D28): the database comes to what the world in memory says
of the two contacts that were never merged. A smaller number than tests/rules has."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import Command
from kartoteka.errors import KartotekaError
from kartoteka.identity.model import Settings
from tests.conftest import fresh_database
from tests.faults.conftest import Shop, open_shop
from tests.rules import stories
from tests.rules.identity.test_undo_law import AFTER, BEFORE, undo
from tests.rules.identity.undo_law import Pair, same
from tests.rules.world import World

CARD = """
    select contact_id, status, external_id, former_ids, email, phone, first_name, last_name, fields,
           consent, source, keyed, created_at, updated_at, removed_at, merged_into
    from contact order by contact_id
"""
HELD = """
    select kind, value_key, contact_id, former, since, rule, app, device, home
    from identifier order by kind, value_key, contact_id
"""
MEMBERS = """
    select s.name, m.contact_id from segment_member m join segment s using (account_id, segment_id)
    join contact c on c.account_id = m.account_id and c.contact_id = m.contact_id and c.status <> 2
    order by s.name, m.contact_id
"""


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
    told = _tell(world, before)
    live = world.live()
    assume(len(live) > 1)
    keep, absorb = data.draw(st.permutations(live))[:2]
    pair = Pair(world, keep, absorb)
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
        stored, never_merged = _views(shop, pair)
        assert stored == never_merged


def _views(shop: Shop, pair: Pair) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what the database says, what the world without the merge says)."""
    world = pair.apart
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        cards = connection.execute(CARD).fetchall()
        held = connection.execute(HELD).fetchall()
        members = connection.execute(MEMBERS).fetchall()
        events = connection.execute(
            "select owner_id, type_key from event order by event_id"
        ).fetchall()
    names = [one.strip() for one in CARD.partition("from")[0].replace("select", "").split(",")]
    columns = [one.strip() for one in HELD.partition("from")[0].replace("select", "").split(",")]
    return (
        {"cards": cards, "held": held, "members": members, "events": events},
        {
            "cards": [
                tuple(getattr(world.card(who), name) for name in names)
                for who in sorted(world.cards)
            ],
            "held": sorted(
                (
                    tuple(getattr(one, name) for name in columns)
                    for who in world.cards
                    for one in world.held(who)
                ),
                key=lambda row: row[:3],
            ),
            "members": sorted(
                (name, who)
                for name, members in world.lists.items()
                for who in members
                if world.status(who) != "merged"
            ),
            "events": [(who, key) for who, key, _ in world.owned],
        },
    )
