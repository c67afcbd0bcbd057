"""Activity on a real database: whose it is when cards, events and erases meet at the same moment."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.activity.erasing import finish_erasing
from kartoteka.activity.partitions import _known
from kartoteka.activity.retention import keep_house
from kartoteka.activity.timeline import Item, Place, Timelines, shown
from kartoteka.contacts.model import Command, Outcome
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.identity.changes import MOST_SENDERS
from kartoteka.identity.model import QUARANTINED
from tests.faults.conftest import Shop, open_shop, with_settings
from tests.faults.holding import held_back
from tests.rules.stories import (
    KIND,
    add,
    arriving,
    erase,
    event,
    put,
    release,
    remove,
    row,
    rules,
)
from tests.rules.world import World

FOREVER = Place(datetime(9999, 12, 31, tzinfo=UTC), 2**63 - 1, 2**63 - 1)
START = datetime(2026, 1, 5, tzinfo=UTC)


async def timeline(shop: Shop, contact_id: int, rows: int = 500) -> list[Item]:
    database = await Database.open(shop.url, options=WRITER_OPTIONS)
    try:
        timelines = Timelines(database, shop.clock)
        types = frozenset(("event", "visit", "order"))
        return await timelines.page(shop.account.account_id, contact_id, FOREVER, rows, types)
    finally:
        await database.close()


async def history(shop: Shop, contact_id: int) -> list[str]:
    """Types of what a contact has, the earliest first."""
    return [item.key for item in reversed(await timeline(shop, contact_id))]


def story(chance: random.Random, number: int) -> tuple[Command, datetime]:
    """One step of a shop whose visitors share devices; each at its own minute."""
    at = START + timedelta(minutes=10 * number)
    person = chance.choice("ABC")
    carried: dict[str, Any] = {chance.choice(("cookie", "device", "token")): chance.choice("ST")}
    late = at - timedelta(minutes=chance.randrange(1, 60)) if chance.random() < 0.4 else None
    step = chance.randrange(9)
    if step < 4:
        return event(f"e{number}", **carried, at=late), at
    if step == 4:
        return event(f"e{number}", x=person, **carried, at=late), at
    if step == 5:
        return add(x=person, **carried), at
    if step == 6:
        return add(**carried) if "cookie" not in carried else add(x=person), at
    if step == 7:
        return remove(x=person) if chance.random() < 0.5 else erase(x=person), at
    return add(x=person, email=f"{person.lower()}@x.example", **carried), at


@pytest.mark.parametrize("seed", range(6))
async def test_the_database_comes_to_what_the_rules_say(shop: Shop, seed: int):
    """The statements of `activity/queries.sql` against the same story in memory."""
    chance = random.Random(seed)
    world = World()
    for number in range(45):
        command, at = story(chance, number)
        answers = []
        for carry_out in (shop.send(command, at), _in(world, command, at)):
            try:
                answers.append((await carry_out).resolution.outcome)
            except Exception as error:  # noqa: BLE001  of the rules; both must have the same
                answers.append(type(error).__name__)
        assert answers[0] == answers[1], (number, command)
    told = {card.external_id: who for who in world.cards if (card := world.card(who))}
    for external_id in filter(None, told):
        [who] = shop.holders(1, external_id)
        assert await history(shop, who) == world.history_of(told[external_id])
    count = shop.rows("select count(*) from event")
    assert count == [(len(world.happened) + len(world.events),)]


@pytest.mark.parametrize("to_contact", [True, False])
async def test_nobody_gets_what_came_in_quarantine(shop: Shop, to_contact: bool):
    """D6, and the statements of it: released to somebody, or to whoever comes next."""
    minutes = iter(START + timedelta(minutes=number) for number in range(1000))
    people = [
        await shop.id(add(x=f"X{number}", cookie="C"), next(minutes))
        for number in range(MOST_SENDERS + 1)
    ]
    assert shop.holders(KIND["cookie"].code, "C") == [QUARANTINED]
    meant = await shop.id(add(x="meant"), next(minutes))
    then = next(minutes)
    await shop.send(event("then", cookie="C"), then)
    await shop.send(release("cookie", "C", meant if to_contact else None), next(minutes))
    if not to_contact:
        await shop.send(event("waits", cookie="C"), next(minutes))
        assert await shop.id(add(x="meant", cookie="C"), next(minutes)) == meant
    await shop.send(event("late", cookie="C", at=then), next(minutes))
    await shop.send(event("after", cookie="C"), next(minutes))
    assert await history(shop, meant) == (["after"] if to_contact else ["waits", "after"])
    assert [await history(shop, one) for one in people[-3:]] == [[]] * 3
    await shop.id(add(x="next", cookie="C"), next(minutes))
    assert await history(shop, meant) == (["after"] if to_contact else ["waits", "after"])


async def _in(world: World, command: Command, at: datetime) -> Any:
    return world.send(command, at=at).outcome


async def test_an_event_and_its_contact_race_from_two_processes(two_shops):
    """Hammered: whatever was first, every event is the contact's in the end."""
    one, other = two_shops
    people = range(40)
    waiting = []
    for person in people:
        waiting += [
            (one if person % 2 else other).send(event(f"e{n}", x=f"X{person}")) for n in range(3)
        ]
        waiting.append((other if person % 2 else one).send(add(x=f"X{person}")))
    random.Random(7).shuffle(waiting)
    await asyncio.gather(*waiting)
    for person in people:
        [who] = one.holders(1, f"X{person}")
        assert sorted(await history(one, who)) == ["e0", "e1", "e2"]
    assert one.rows("select count(*) from identifier where contact_id < 0") == [(0,)]


async def test_two_processes_write_the_first_visit_of_one_cookie(two_shops):
    one, other = two_shops
    sent = [shop.send(event(f"e{n}", cookie="S")) for n in range(20) for shop in two_shops]
    await asyncio.gather(*sent)
    assert one.rows("select count(*), sum(events) from visitor_span") == [(1, 40)]
    who = await other.id(add(x="X", cookie="S"))
    assert len(await history(one, who)) == 40


async def test_a_visit_that_meets_the_end_of_its_span_is_written_again(two_shops):
    """The link of another person is written, and not yet there for who reads: 40001, fresh data."""
    one, other = two_shops
    a = await one.id(add(x="A", cookie="S"))
    b = await one.id(add(x="B", cookie="S"))
    async with held_back(one.url, "visitor_span") as until:
        link = asyncio.create_task(one.send(add(x="A", cookie="S")))
        await until(1)
        late = asyncio.create_task(other.send(event("whose", cookie="S")))
        await until(2)
    await asyncio.gather(link, late)
    assert (await history(one, a), await history(one, b)) == (["whose"], [])


async def test_the_same_message_from_two_processes_counts_once(two_shops):
    one, other = two_shops
    who = await one.id(add(x="X"))
    messages = [
        shop.send(event("paid", x="X", message=f"m{number}"))
        for number in range(30)
        for shop in (one, other)
    ]
    outcomes = await asyncio.gather(*messages)
    assert len(await history(one, who)) == 30
    assert sum(outcome.resolution.rule == "came_already" for outcome in outcomes) == 30


async def test_what_is_written_while_the_person_is_erased_goes_too(two_shops, database):
    """The event holds the card when the erase comes; the erase's own look is older than it."""
    one, other = two_shops
    who = await one.id(add(x="X"))
    async with held_back(one.url, "event") as until:
        late = asyncio.create_task(one.send(event("secret", x="X")))
        await until(1)
        erasing = asyncio.create_task(other.send(erase(who)))
        await until(2)
    await asyncio.gather(late, erasing)
    await finish_erasing(database, one.account.account_id)
    assert one.rows("select type_key from event") == []
    assert one.rows("select owner_id from erasing") == []


async def test_an_erase_that_a_crash_cut_short_is_finished_by_the_night(shop: Shop, database):
    await shop.send(event("old", cookie="S"))
    who = await shop.id(add(x="X", cookie="S"))
    await shop.send(erase(who))
    shop.rows(
        "insert into event (account_id, owner_id, type_key, occurred, received)"
        " select account_id, owner_id, 'late', now(), now() from erasing limit 1 returning 1"
    )
    await keep_house(database, shop.clock, Accounts(database, shop.clock))
    assert shop.rows("select type_key from event") == []


async def test_many_events_of_one_visitor_attach_in_one_small_transaction(two_shops):
    """Whatever the number: one span gets a contact, and nobody waits (part 3; a million in bench)."""
    one, other = two_shops
    for shop in two_shops:
        with_settings(shop, visits_per_cookie=1_000_000)
    await one.send(event("first", cookie="S"))
    one.rows(
        "insert into event (account_id, owner_id, kind, type_key, occurred, received)"
        " select account_id, owner_id, 1, 'pageview', now() - n * interval '1 second', now()"
        " from visitor_span, generate_series(1, 20000) n returning 1"
    )
    before = one.rows("select sum(n_tup_upd) from pg_stat_user_tables where relname like 'event%%'")
    who, *_ = await asyncio.gather(
        one.id(add(x="X", cookie="S")), *(other.send(add(x=f"O{n}")) for n in range(20))
    )
    one.rows("select pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
    after = one.rows("select sum(n_tup_upd) from pg_stat_user_tables where relname like 'event%%'")
    assert before == after  # no row of an event was written again
    page = await timeline(one, who)
    assert (len(page), page[0].type) == (500, "event")
    assert one.rows(
        "select count(*) from owners_of(%(account)s, array[%(who)s::bigint]) o"
        " join event e on e.account_id = %(account)s and e.owner_id = o.owner_id",
        account=one.account.account_id,
        who=who,
    ) == [(20_001,)]


async def test_months_are_made_behind_by_two_processes_at_once(database_url):
    """Also where rows lie in the default partition already."""
    async with open_shop(database_url) as one, open_shop(database_url, one.account) as other:
        who = await one.id(add(x="X"))
        one.rows(
            "insert into event (account_id, owner_id, type_key, occurred, received)"
            " values (%(account)s, %(who)s, 'old', '2001-02-03', now()) returning 1",
            account=one.account.account_id,
            who=who,
        )
        moments = [datetime(2001, month, 9, tzinfo=UTC) for month in range(1, 13)] * 2
        sent = [
            shop.send(event(f"e{n}", x="X", at=at))
            for n, at in enumerate(moments)
            for shop in (one, other)
        ]
        await asyncio.gather(*sent)
        assert len(await history(one, who)) == 49
        assert one.rows("select count(*) from event_2001_02") == [(5,)]
        assert one.rows("select count(*) from event_other") == [(0,)]
        await one.send(event("ancient", x="X", at=datetime(1812, 9, 7, tzinfo=UTC)))
        assert one.rows("select type_key from event_other") == [("ancient",)]
        assert len(_known) >= 2
        one.check()


async def test_what_an_account_does_not_keep_goes_in_batches(shop: Shop, database):
    """Retention by when it happened; what is nobody's after 13 months; empty months are dropped."""
    accounts = Accounts(database, shop.clock)
    who = await shop.id(add(x="X"))
    old = shop.clock.now() - timedelta(days=800)
    await shop.send(event("old", x="X", at=old))
    await shop.send(event("nobody's", cookie="S", at=old), old)
    await shop.send(event("never", email="a@x.example", at=old), old)
    await shop.send(event("new", x="X"))
    await keep_house(database, shop.clock, accounts)
    assert await history(shop, who) == ["old", "new"]
    assert shop.rows("select type_key from event order by 1") == [("new",), ("old",)]
    assert shop.rows("select count(*) from visitor_span") == [(0,)]
    assert shop.rows("select count(*) from identifier where contact_id < 0") == [(0,)]
    changes = {"event_retention_months": 12}
    await accounts.change_settings(shop.account.account_id, changes)
    await keep_house(database, shop.clock, accounts)
    assert await history(shop, who) == ["new"]
    months = [
        name for (name,) in shop.rows("select relname from pg_class where relname ~ '^event_2'")
    ]
    assert f"event_{old.year}_{old.month:02}" not in months


async def test_of_an_erased_person_no_value_is_left_in_the_activity(shop: Shop):
    """D29: cookies, devices, External IDs that waited, addresses of events that were nobody's."""
    await shop.send(event(email="zara@x.example", params={"email": "zara@x.example"}))
    await shop.send(event(x="ZARA", params={"x": "ZARA"}))
    await shop.send(event(cookie="zara-cookie"))
    who = await shop.id(add(x="ZARA", email="zara@x.example", cookie="zara-cookie"))
    await shop.send(event(x="ZARA", params={"x": "ZARA"}))
    await shop.send(put(who, x="ZARA-2"))
    await shop.send(erase(x="ZARA"))  # the former one alone
    assert shop.rows("select 1 from visitor_span where value_key = 'ZARA'") == []
    assert len(await history(shop, who)) == 3
    await shop.send(erase(who))
    for table in ("event", "visitor_span", "identifier", "claim", "orders"):
        assert shop.rows(f"select t::text from {table} t where t::text ilike '%%zara%%'") == []


async def test_what_a_claim_linked_is_marked(shop: Shop):
    """D36: a public caller said whose it is."""
    await shop.send(event("seen", cookie="S"))
    who = await shop.id(add(x="X", cookie="S"))
    await shop.send(event("bought", x="X"))
    assert [shown(item).get("linkedBy") for item in await timeline(shop, who)] == [None, None]
    shop.rows("update visitor_span set rule = 'claim' returning 1")
    marks = {item.key: shown(item).get("linkedBy") for item in await timeline(shop, who)}
    assert marks == {"seen": "claim", "bought": None}


async def test_put_sets_the_external_id_that_events_wait_for(two_shops):
    one, other = two_shops
    who = await one.id(add(email="a@x.example"))
    await asyncio.gather(
        other.send(put(who, x="X")), *(one.send(event(f"e{n}", x="X")) for n in range(5))
    )
    assert len(await history(one, who)) == 5


async def test_dry_runs_and_rows_do_not_see_what_waits(shop: Shop):
    """A stub stands at the unique key: nobody is shown it, and whoever comes takes its place."""
    await shop.send(event("early", x="X", device="D"))
    await shop.send(event("early", device="D"))
    commands = [arriving(add(x="X", device="D"), shop.clock.now()) for _ in range(2)]
    rehearsed = await shop.engine.rehearse_all(shop.account, commands)
    assert [one.resolution.outcome for one in rehearsed if isinstance(one, Outcome)] == [
        "created",
        "unchanged",
    ]
    dry = await shop.engine.submit(shop.account, dry_run(add(x="X")))
    assert dry.resolution.outcome == "created"
    assert shop.rows("select count(*) from identifier where contact_id < 0") == [(2,)]
    number = await shop.send(row(rules("externalCustomerId"), x="X", device="D"))
    who = number.resolution.contact_id
    assert who is not None
    assert await history(shop, who) == ["early", "early"]
    assert shop.rows("select count(*) from identifier where contact_id < 0") == [(0,)]


def dry_run(command: Command) -> Command:
    return msgspec.structs.replace(command, dry_run=True)


async def test_a_long_reading_does_not_hold_events_up(shop: Shop):
    """The month cannot be attached while somebody reads: events are taken, and move when it can."""
    who = await shop.id(add(x="X"))
    at = datetime(2003, 5, 6, tzinfo=UTC)
    async with held_back(shop.url, "event_other", mode="access share"):
        await shop.send(event("during", x="X", at=at))
    assert shop.rows("select type_key from event_other") == [("during",)]
    await shop.send(event("after", x="X", at=at))
    assert shop.rows("select type_key from event_2003_05 order by event_id") == [
        ("during",),
        ("after",),
    ]
    assert await history(shop, who) == ["during", "after"]
