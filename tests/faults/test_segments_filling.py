"""Segments that are filled while two processes write, killed in the middle, and raced by time."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.db.database import Database
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.filling import QUERIES as FILLING
from kartoteka.segments.filling import Filling
from kartoteka.segments.jobs import SegmentJobs
from kartoteka.segments.shown import segment_json
from kartoteka.segments.store import Segments
from kartoteka.segments.verifying import check_activity, verify
from kartoteka.segments.waking import next_moment, wake
from tests.faults.conftest import Shop
from tests.rules.stories import add, attach, detach, event, order, put, remove, subscribe

NAMES = ("Ann", "Bob", "Eve")
EMPTY = {"field": "externalCustomerId", "operator": "is_empty"}
CONDITIONS: tuple[Any, ...] = (
    {"field": "firstName", "operator": "equals", "value": "Ann"},
    {"field": "mobilePush", "operator": "is_set"},
    {"any": [EMPTY, {"field": "event", "type": "seen", "operator": "greater", "value": 1}]},
    {"field": "orderCount", "operator": "greater", "value": 0},
    {"field": "updatedAt", "operator": "in_last_days", "value": 1},
)


class Slowly(Filling):
    """Leaves everything to whoever is told to `advance`: nothing is filled when it is made."""

    async def advance(self, account_id: int, version_id: int, within_s: float | None) -> bool:
        return False


async def people(shop: Shop, many: int) -> list[int]:
    found: list[int] = []
    for start in range(0, many, 100):
        said = [
            add(x=f"{n}" if n % 2 else None, email=f"{n}@x.example", first=NAMES[n % 3])
            for n in range(start, min(start + 100, many))
        ]
        found += [one.resolution.contact_id for one in await shop.together(*said)]  # type: ignore[union-attr,misc]
    return found


def something(chance: random.Random, ids: list[int], list_id: int) -> Any:
    who = chance.choice(ids)
    number = chance.randrange(len(ids))
    return chance.choice(
        (
            lambda: put(who, first=chance.choice(NAMES)),
            lambda: put(who, clear="externalCustomerId"),
            lambda: put(who, token=f"T{chance.randrange(20)}"),
            lambda: add(x=f"{number}", first=chance.choice(NAMES)),
            lambda: remove(who),
            lambda: event(contact_id=who),
            lambda: order(f"O{number}", x=f"{number}"),
            lambda: attach(list_id, who),
            lambda: detach(list_id, who),
            lambda: subscribe(email=f"{number}@x.example", groups=("News",)),
        )
    )()


async def exact(database: Database, account_id: int) -> list[str]:
    now = Clock().now()
    await wake(database, account_id, now)
    return [
        f"{one.name}: missing {one.missing}, extra {one.extra}, python {one.python_differs}"
        async for one in verify(database, account_id, now)
        if not one.is_exact
    ]


@pytest.mark.parametrize("seed", [1])
async def test_filling_misses_nothing_that_two_processes_write(two_shops, database, seed):
    """Made and edited while both write; afterwards everything is exact, and was never served half."""
    one, _ = two_shops
    account_id = one.account.account_id
    ids = await people(one, 120)
    clock = Clock()
    filling = Filling(database, clock, rows_in_a_range=7)
    segments = Segments(database)
    actions = SegmentActions(
        database, clock, Definitions(database), segments, Slowly(database, clock)
    )
    list_id = await actions.add_list(account_id, {"name": "News"})
    on_list = {"field": "segment", "id": list_id, "operator": "member"}
    is_over = asyncio.Event()

    async def write(shop: Shop, number: int) -> None:
        chance = random.Random(seed * 10 + number)
        while not is_over.is_set():
            batch = [something(chance, ids, list_id) for _ in range(4)]
            await shop.together(*batch)

    async def fill() -> None:
        while rows := await database.fetch(FILLING["versions_to_do"]):
            for _, version_id, state in rows:
                if state == "old":
                    await filling.drop(account_id, version_id)
                else:
                    await filling.advance(account_id, version_id, 0)

    writers = [asyncio.create_task(write(shop, n)) for n, shop in enumerate(two_shops)]
    made = []
    for condition in (*CONDITIONS, on_list):
        body = {"name": str(condition), "condition": condition}
        made.append(await actions.create(account_id, body))
    await fill()
    await actions.change(account_id, made[0], {"condition": CONDITIONS[2]})
    await actions.change(account_id, made[1], {"condition": on_list})
    await fill()
    is_over.set()
    await asyncio.gather(*writers)
    assert await exact(database, account_id) == []
    assert all([(await segments.stored(account_id, one)).version_id for one in made])


FILL = """
import asyncio, sys
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.segments.filling import QUERIES as FILLING
from kartoteka.segments.filling import Filling

async def main(url, account_id, version_id):
    database = await Database.open(url)
    filling = Filling(database, Clock(), rows_in_a_range=2)
    print("began", flush=True)
    await filling.advance(account_id, version_id, None)

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


async def test_progress_says_how_far_a_filling_is(shop, database):
    """First by its own conditions, exact at every moment; an edit is filled while the old one serves."""
    account_id = shop.account.account_id
    await people(shop, 250)
    clock, segments = Clock(), Segments(database)
    actions = SegmentActions(
        database, clock, Definitions(database), segments, Slowly(database, clock)
    )
    segment_id = await actions.create(account_id, {"name": "S", "condition": EMPTY})
    filling = Filling(database, clock, rows_in_a_range=100)

    async def looked() -> tuple[str, dict[str, int] | None, int]:
        stored = await segments.stored(account_id, segment_id)
        said = segment_json(stored)
        return said["state"], said.get("progress"), await segments.count(account_id, stored)

    async def through(state: str, count: int) -> None:
        version_id = (await database.fetch(FILLING["versions_to_do"]))[-1][1]
        for seen in (0, 100, 200, 250):
            assert await looked() == (state, {"seen": seen, "expected": 250}, count)
            before = shop.rows("select seen, state from segment_version")
            async with asyncio.timeout(60):  # its lock goes with the connection, in a moment
                while before == shop.rows("select seen, state from segment_version"):
                    await filling.advance(account_id, version_id, 0)

    await through("filling", 125)
    assert await looked() == ("ready", None, 125)
    ann = {"field": "firstName", "operator": "equals", "value": "Ann"}
    await actions.change(account_id, segment_id, {"condition": ann})
    await through("refilling", 125)
    assert await looked() == ("ready", None, len([n for n in range(250) if n % 3 == 0]))


async def test_deleted_with_its_contacts_while_it_is_filled_they_go_too(
    shop, database, monkeypatch
):
    """Issue 5: delete asks what to do with contacts. In turns, so that others are filled meanwhile."""
    account_id = shop.account.account_id
    ids = await people(shop, 20)
    clock = Clock()
    actions = SegmentActions(
        database, clock, Definitions(database), Segments(database), Slowly(database, clock)
    )
    segment_id = await actions.create(account_id, {"name": "S", "condition": EMPTY})
    await actions.delete(account_id, segment_id, remove_contacts=True)

    async def account(_: int) -> AccountContext:
        return shop.account

    monkeypatch.setattr("kartoteka.segments.jobs.FILL_FOR_S", 0.0)
    monkeypatch.setattr("kartoteka.segments.jobs.REMOVED_AT_ONCE", 4)
    jobs = SegmentJobs(database, clock, account, shop.engine.submit)
    live = "select array_agg(contact_id order by contact_id) from contact where status = 0"
    seen = []
    async with asyncio.timeout(120):  # locks go with their connections, in a moment
        while shop.rows("select 1 from segment"):
            await jobs.once()
            seen.append(len(shop.rows(live)[0][0]))
    assert shop.rows(live) == [([one for n, one in enumerate(ids) if n % 2],)]
    assert {16, 12, 10} <= set(seen)


async def test_killed_while_filling_another_process_goes_on(shop, database):
    """kill -9 in the middle: what is filled stays, the rest follows, nobody is counted twice."""
    account_id = shop.account.account_id
    await people(shop, 600)
    clock = Clock()
    actions = SegmentActions(
        database, clock, Definitions(database), Segments(database), Slowly(database, clock)
    )
    await actions.create(account_id, {"name": "S", "condition": EMPTY})
    ((_, version_id, _),) = await database.fetch(FILLING["versions_to_do"])
    filled_to = "select filled_to, seen, state from segment_version"
    for _ in range(3):
        process = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-c", FILL, shop.url, str(account_id), str(version_id)],
            stdout=subprocess.PIPE,
        )
        before = shop.rows(filled_to)[0]
        async with asyncio.timeout(60):
            while shop.rows(filled_to)[0] == before and process.poll() is None:  # noqa: ASYNC110
                await asyncio.sleep(0)
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        if process.stdout is not None:
            process.stdout.close()
        await shop.send(add(email="new@x.example", first="Ann"))
    async with asyncio.timeout(60):  # until the database has noticed that the last one is gone
        while not await Filling(database, clock).advance(account_id, version_id, None):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert shop.rows(filled_to)[0][2] == "serving"
    assert shop.rows("select count(*) from segment_match") == [(301,)]
    assert await exact(database, account_id) == []


async def test_time_and_a_writer_at_the_same_moment(two_shops, database):
    """Both ask the same contact: whoever is second sees the other, and the last word is right."""
    one, other = two_shops
    account_id = one.account.account_id
    clock = Clock()
    actions = SegmentActions(database, clock, Definitions(database), Segments(database))
    condition = {
        "all": [
            {"field": "createdAt", "operator": "more_than_days_ago", "value": 1},
            {"field": "firstName", "operator": "equals", "value": "Ann"},
        ]
    }
    await actions.create(account_id, {"name": "S", "condition": condition})
    past = clock.now() - timedelta(hours=23, minutes=59, seconds=59, milliseconds=600)
    ids = [await one.id(add(x=f"{n}", first="Ann"), past) for n in range(40)]
    due = await next_moment(database, account_id)
    assert due is not None
    while clock.now() < due:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    commands = [put(who, first=NAMES[n % 2]) for n, who in enumerate(ids)]
    await asyncio.gather(
        *(other.send(command) for command in commands),
        wake(database, account_id, clock.now()),
        wake(database, account_id, clock.now()),
    )
    assert await exact(database, account_id) == []
    assert one.rows("select count(*) from segment_match") == [(20,)]


async def test_after_downtime_the_clock_catches_up(shop, database):
    """D31: what time changed while nobody ran is changed at the first look, all of it."""
    account_id = shop.account.account_id
    clock = Clock()
    actions = SegmentActions(database, clock, Definitions(database), Segments(database))
    recent = {"field": "createdAt", "operator": "in_last_days", "value": 7}
    await actions.create(account_id, {"name": "Recent", "condition": recent})
    await people(shop, 30)
    assert shop.rows("select count(*) from segment_match") == [(30,)]
    later = clock.now() + timedelta(days=400)
    assert await wake(database, account_id, later) == 30
    assert shop.rows("select count(*) from segment_match") == [(0,)]
    assert shop.rows("select count(*) from segment_moment") == [(0,)]
    told = "select count(*) from happening where kind = 2"
    assert shop.rows(told) == [(30,)]
    noted = "select contact_ids from change order by change_id desc limit 1"
    assert len(shop.rows(noted)[0][0]) == 30, "exports read who left"


async def test_activity_that_is_deleted_in_bulk_is_asked_again(shop, database):
    account_id = shop.account.account_id
    clock = Clock()
    actions = SegmentActions(database, clock, Definitions(database), Segments(database))
    seen = {"field": "event", "type": "seen", "operator": "greater", "value": 0}
    segment = await actions.create(account_id, {"name": "Seen", "condition": seen})
    who = await shop.id(add(x="A"))
    await shop.send(event(contact_id=who))
    assert shop.rows("select contact_id from segment_match") == [(who,)]
    await database.execute("delete from event")
    await check_activity(database, account_id, clock.now())
    assert shop.rows("select contact_id from segment_match") == []
    assert shop.rows("select segment_id from happening where kind = 2") == [(segment,)]


async def test_edits_at_the_same_moment_are_thought_out_again(shop, database):
    """Two segments are each changed to be made of the other at once: one of them is refused."""
    account_id = shop.account.account_id
    clock = Clock()
    actions = SegmentActions(database, clock, Definitions(database), Segments(database))
    one, other = [
        await actions.create(account_id, {"name": name, "condition": EMPTY}) for name in "AB"
    ]

    def made_of(segment_id: int) -> dict[str, Any]:
        return {"condition": {"field": "segment", "id": segment_id, "operator": "member"}}

    came = await asyncio.gather(
        actions.change(account_id, one, made_of(other)),
        actions.change(account_id, other, made_of(one)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in came) == ["InvalidCondition", "NoneType"]
    assert await exact(database, account_id) == []
    third = await actions.create(account_id, {"name": "C", "condition": EMPTY})
    came = await asyncio.gather(
        actions.create(account_id, {"name": "D", **made_of(third)}),
        actions.delete(account_id, third, remove_contacts=False),
        return_exceptions=True,
    )
    left = [type(each).__name__ for each in came]
    assert left in (["int", "SegmentInUse"], ["InvalidCondition", "NoneType"]), came
