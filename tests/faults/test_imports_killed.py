"""kill -9 all through an import: the cards and the statement are those of an undisturbed run."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from kartoteka.db.embedded import running_url
from kartoteka.errors import DatabaseUnavailable
from tests.conftest import Server, StartServer
from tests.faults.callers import Caller, calling
from tests.faults.imports import (
    OPTIONS,
    Left,
    assert_same,
    assert_whole,
    client_of,
    done_rows,
    open_account,
    people_file,
    populate,
    send,
    wait_for,
    wait_until,
)
from tests.faults.invariants import check
from tests.faults.servers import rows
from tests.faults.test_killed import family, kill_all

ROWS = 8_000
KILLS = ("jobs", "jobs", "jobs", "backend", "backend", "postgres", "server", "everything")
SEED = int(os.environ.get("KARTOTEKA_KILLS_SEED", "0"))
"""Set it to hunt with the same file and the same plan of kills again."""


class Killed:
    """A server that is killed and comes back."""

    def __init__(self, start: StartServer, folder: Path) -> None:
        self._start = start
        self._folder = folder
        self.server = start(folder, KARTOTEKA_PROCESSES="1")

    @property
    def url(self) -> str:
        """The database may just be starting again."""
        deadline = time.monotonic() + 120
        while True:
            try:
                return running_url(self._folder)
            except DatabaseUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def kill(self, what: str) -> None:
        """Its supervisor starts anew what ends below it; the rest is for us."""
        ours, database = family(self.server)
        if what == "jobs":
            kill_all([one for one in ours if _nice(one) > 0])
        elif what == "backend":  # PostgreSQL ends all others with it, and recovers
            kill_all([one for one in database if "idle" in _title(one)][-1:])
        elif what == "postgres":
            kill_all(database)
        else:
            kill_all(ours if what == "server" else ours + database)
            self.server.process.wait(60)
            self.server = self._start(self._folder, KARTOTEKA_PROCESSES="1")


def _nice(process: psutil.Process) -> int:
    try:
        return process.nice() or 0
    except psutil.NoSuchProcess:
        return 0


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[:1])
    except psutil.NoSuchProcess:
        return ""


@contextmanager
def live_calls(server: Server, *, any_at_all: bool) -> Iterator[None]:
    """Somebody calls all the while, so that the import goes in small steps."""
    done = threading.Event()

    def call() -> None:
        with client_of(server) as api:
            while any_at_all and not done.wait(0.04):
                try:
                    api.post("/api/v1/contact", json={"externalCustomerId": "live"})
                except httpx.HTTPError:
                    continue

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_imports_and_calls_that_are_killed_again_and_again(
    start_server: StartServer, tmp_path: Path
):
    seed = SEED or random.randrange(1, 1_000_000)
    print(f"again: KARTOTEKA_KILLS_SEED={seed}")
    chance, content = random.Random(seed), people_file(seed, ROWS)
    killed = Killed(start_server, tmp_path / "killed" / "data")
    accounts = [open_account(killed.url, name) for name in ("quiet", "killed", "calls")]
    with client_of(killed.server, accounts[0][1]) as api:
        named = [populate(api)]
        quietly = send(api, content, OPTIONS)
        assert wait_for(api, quietly)["state"] == "finished"
    with client_of(killed.server, accounts[1][1]) as api:
        named.append(populate(api))
        number = send(api, content, OPTIONS)
    callers = [
        Caller(name, accounts[2][1], keeps_asking=name != "gives-up")
        for name in ("gives-up", "asks", "asks-too")
    ]
    goals = sorted(chance.randrange(ROWS) for _ in KILLS)
    with calling(callers, lambda: killed.server):
        for what, goal in zip(chance.sample(KILLS, len(KILLS)), goals, strict=True):
            with live_calls(killed.server, any_at_all=chance.random() < 0.8):
                if chance.random() < 0.7:
                    wait_until(lambda: done_rows(killed.url, number) >= goal, 60)  # noqa: B023
                time.sleep(chance.random() * 0.3)
                print(f"{done_rows(killed.url, number)} rows are done, kill: {what}")
                killed.kill(what)
    with client_of(killed.server, accounts[1][1]) as api:
        one = wait_for(api, number)
    assert (one["state"], one["done"], one["total"]) == ("finished", ROWS, ROWS)
    assert sum(one["counts"].values()) == ROWS
    url = killed.url
    expected = Left(url, accounts[0][0], quietly, named[0])
    assert_same(Left(url, accounts[1][0], number, named[1]), expected)
    assert_whole(url, accounts[1][0], number, ROWS)
    for caller in callers:
        caller.verify(killed.server, url)
    waiting = "select count(*) from import where state <> 'finished'"
    wait_until(lambda: rows(url, waiting) == [(0,)])
    assert rows(url, "select count(*) from import_payload") == [(0,)]
    check(url)
