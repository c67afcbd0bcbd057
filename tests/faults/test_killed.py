"""kill -9 under load: every acknowledged write is there, and none is half there."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.conftest import COMMAND, Server, StartServer, clean_environment
from tests.faults.invariants import check
from tests.faults.servers import Line, define_fields, rows

PEOPLE = 24
LOST = (OSError, EOFError)


class Client:
    """One shop that writes to one contact, one request after the other, and keeps a log.

    Each request says the same number three times: as contactKey, as a custom field and in a token.
    """

    def __init__(self, person: int, field: int) -> None:
        self.person = person
        self.field = field
        self.sent = 0
        self.acknowledged: list[int] = []
        self.codes: set[int] = set()

    def body(self, number: int) -> dict[str, Any]:
        return {
            "externalCustomerId": f"K{self.person}",
            "contactKey": str(number),
            "fields": [{"id": self.field, "value": str(number)}],
            "channels": [
                {"type": "mobilepush", "value": self.token(number)},
                {"type": "email", "value": f"k{self.person}.{number}@x.example"},
            ],
        }

    def token(self, number: int) -> str:
        return f"K{self.person}.{number}"

    async def write(self, server: Server, until: asyncio.Event) -> None:
        """Write until told to stop; a broken connection is made anew."""
        line = Line(server)
        while not until.is_set():
            self.sent += 1
            try:
                reply = await line.ask("POST", "/api/v1/contact", self.body(self.sent))
            except LOST:
                line.close()
                line = Line(server)
                await asyncio.sleep(0.02)
                continue
            self.codes.add(reply.status)
            if reply.status == 200:
                self.acknowledged.append(self.sent)
            else:
                await asyncio.sleep(0.02)
        line.close()

    def verify(self, url: str) -> None:
        """All of the log is there, and what is there is whole."""
        [(contact_id, key, fields, email)] = rows(
            url,
            "select contact_id, contact_key, fields, email from contact where external_id = %s",
            f"K{self.person}",
        )
        number = int(key)
        assert number >= self.acknowledged[-1]
        assert fields == {str(self.field): key}
        assert email == f"k{self.person}.{key}@x.example"
        tokens = {
            text
            for (text,) in rows(
                url,
                "select value_key from identifier where kind = 4 and contact_id = %s",
                contact_id,
            )
        }
        assert {self.token(one) for one in self.acknowledged} <= tokens
        assert self.token(number) in tokens


async def load_and_kill(clients: list[Client], server: Server, kill: Any, after_s: float) -> None:
    """All clients write; in the midst of it something is killed, and they go on for a while."""
    done = asyncio.Event()
    writing = [asyncio.create_task(client.write(server, done)) for client in clients]
    async with asyncio.timeout(60):
        while not all(len(client.acknowledged) > 2 for client in clients):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.to_thread(kill)
    await asyncio.sleep(after_s)
    done.set()
    await asyncio.gather(*writing)


def family(server: Server) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """(processes of the server, processes of its PostgreSQL)."""
    whole = psutil.Process(server.process.pid)
    children = whole.children(recursive=True)
    database = [one for one in children if "postgres" in _name(one)]
    return [whole, *(one for one in children if one not in database)], database


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:  # it ended while we looked
        return ""


def kill_all(processes: list[psutil.Process]) -> None:
    for one in processes:
        if one.is_running():
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
    psutil.wait_procs(processes, timeout=120)


def database_url(folder: Path) -> str:
    import subprocess

    return subprocess.run(
        [COMMAND, "db", "url"],
        env=clean_environment() | {"KARTOTEKA_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.parametrize("what", ["workers", "server", "postgres", "everything"])
async def test_killed_under_load(start_server: StartServer, tmp_path: Path, what: str):
    folder = tmp_path / "killed" / "data"
    server = start_server(folder, KARTOTEKA_PROCESSES="2")
    url = database_url(folder)
    [field] = define_fields(url, 1)
    clients = [Client(person, field) for person in range(PEOPLE)]

    def kill() -> None:
        ours, database = family(server)
        chosen = {
            "workers": ours[1:],
            "server": ours,
            "postgres": database,
            "everything": ours + database,
        }[what]
        assert chosen
        kill_all(chosen)

    await load_and_kill(
        clients, server, kill, after_s=0.5 if what in ("server", "everything") else 2.5
    )
    if what in ("server", "everything"):
        server.process.wait(60)
        server = start_server(folder, KARTOTEKA_PROCESSES="2")
        url = database_url(folder)
    else:
        await wait_until_it_writes(server)
    for client in clients:
        assert client.codes <= {200, 503}
        client.verify(url)
    check(url)
    assert rows(url, "select count(*) from contact where external_id like 'K%%'") == [(PEOPLE,)]


async def wait_until_it_writes(server: Server) -> None:
    """It recovers by itself."""
    async with asyncio.timeout(120):
        while await status_of_a_write(server) != 200:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.1)


async def status_of_a_write(server: Server) -> int:
    line = Line(server)
    try:
        return (await line.ask("POST", "/api/v1/contact", {"externalCustomerId": "again"})).status
    except LOST:
        return 0
    finally:
        line.close()


async def test_a_statement_cut_off_is_not_acknowledged(database_url: str):
    """The database goes away between the writes of a command and its commit."""
    from kartoteka.errors import DatabaseUnavailable
    from tests.faults.conftest import open_shop
    from tests.faults.holding import waiting
    from tests.rules.stories import add

    async with open_shop(database_url) as shop:
        async with await psycopg.AsyncConnection.connect(shop.url) as keeper:
            await keeper.execute("lock table identity_history in exclusive mode")
            writing = asyncio.create_task(shop.send(add(x="X", token="T")))
            await waiting(shop.url, 1)
            await keeper.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and wait_event_type = 'Lock'"
            )
            with pytest.raises(DatabaseUnavailable):
                await writing
        assert shop.rows("select contact_id from contact") == []
        assert (await shop.send(add(x="X", token="T"))).new
        shop.check()
