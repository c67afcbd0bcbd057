"""kill -9 while visitors become contacts: each history is whole, and on exactly one side (part 3)."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

from tests.conftest import Server, StartServer
from tests.faults.invariants import check
from tests.faults.servers import Line, rows
from tests.faults.test_killed import LOST, database_url, family, kill_all

VISITORS = 12
KILLS = 2


class Visitor:
    """One browser after the other: visits, then registers, and comes back; keeps a log."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.life = itertools.count(1)
        self.lives: dict[str, dict[str, bool]] = {}
        """{cookie: {event: whether it was acknowledged}}."""
        self.registered: set[str] = set()
        """Cookies whose registration was acknowledged."""

    async def live(self, server: Server, until: asyncio.Event) -> None:
        line = Line(server)
        while not until.is_set():
            cookie = f"S{self.number}.{next(self.life)}"
            events = self.lives[cookie] = {}
            for turn in range(5):
                key = f"e{turn}"
                events[key] = False
                event = {"eventTypeKey": key, "params": {"webId": cookie}}
                line, events[key] = await _ask(server, line, "/api/v3/event", event)
                if turn == 2:
                    contact = {"externalCustomerId": f"X-{cookie}", "webId": cookie, "channels": []}
                    line, done = await _ask(server, line, "/api/v1/contact", contact)
                    if done:
                        self.registered.add(cookie)
        line.close()


async def _ask(server: Server, line: Line, path: str, body: Any) -> tuple[Line, bool]:
    try:
        reply = await line.ask("POST", path, body)
    except LOST:
        line.close()
        await asyncio.sleep(0.02)
        return Line(server), False
    assert reply.status in (200, 503), reply
    return line, reply.status == 200


def owners(url: str) -> dict[str, set[tuple[int | None, str]]]:
    """{cookie: {(contact, event)}}: whose each event is, as the timeline finds it."""
    found: dict[str, set[tuple[int | None, str]]] = {}
    sql = (
        "select e.params ->> 'webId', c.contact_id, e.type_key from event e"
        " left join contacts_of(e.account_id, array[e.owner_id]) c on true"
    )
    for cookie, contact_id, key in rows(url, sql):
        found.setdefault(cookie, set()).add((contact_id, key))
    return found


async def test_killed_while_visitors_become_contacts(start_server: StartServer, tmp_path: Path):
    folder = tmp_path / "attach" / "data"
    visitors = [Visitor(number) for number in range(VISITORS)]
    for _ in range(KILLS):
        server = start_server(folder, KARTOTEKA_PROCESSES="2")
        done = asyncio.Event()
        living = [asyncio.create_task(visitor.live(server, done)) for visitor in visitors]
        before = sum(len(visitor.registered) for visitor in visitors)
        async with asyncio.timeout(120):
            while sum(len(one.registered) for one in visitors) < before + 2 * VISITORS:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        ours, database = family(server)
        await asyncio.to_thread(kill_all, ours + database)
        done.set()
        await asyncio.gather(*living)
        server.process.wait(60)
    server = start_server(folder, KARTOTEKA_PROCESSES="1")
    url = database_url(folder)
    check(url)
    told = owners(url)
    contacts = dict(rows(url, "select external_id, contact_id from contact"))
    for visitor in visitors:
        for cookie, events in visitor.lives.items():
            owner = contacts.get(f"X-{cookie}")
            assert owner is not None or cookie not in visitor.registered
            theirs = told.get(cookie, set())
            assert {contact_id for contact_id, _ in theirs} <= {owner}, cookie
            acknowledged = {key for key, answered in events.items() if answered}
            assert acknowledged <= {key for _, key in theirs}
    assert sum(len(visitor.registered) for visitor in visitors) >= 2 * KILLS * VISITORS
