"""kill -9 all through an import: the cards and the statement are those of an undisturbed run."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from kartoteka.db.embedded import running_url
from tests.conftest import Server, StartServer
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
)
from tests.faults.invariants import check
from tests.faults.servers import rows
from tests.faults.test_killed import family, kill_all

ROWS = 8_000
KILLS = ("jobs", "jobs", "jobs", "backend", "backend", "postgres", "server", "everything")
SEED = int(os.environ.get("KARTOTEKA_KILLS_SEED", "0"))
"""Set it to hunt with the same file and the same plan of kills again."""


def jobs_of(server: Server) -> list[psutil.Process]:
    """The children that carry imports out: those with a lower priority."""
    return [one for one in family(server)[0] if _is(one, lambda process: process.nice() > 0)]


def _is_idle(backend: psutil.Process) -> bool:
    return "idle" in backend.cmdline()[0]


def _is(process: psutil.Process, holds: Callable[[psutil.Process], bool]) -> bool:
    try:
        return holds(process)
    except psutil.NoSuchProcess:
        return False


def kill(server: Server, what: str) -> None:
    ours, database = family(server)
    if what == "jobs":
        kill_all(jobs_of(server))
    elif what == "backend":  # PostgreSQL ends all others with it, and recovers
        kill_all([one for one in database if _is(one, _is_idle)][-1:])
    elif what == "postgres":
        kill_all(database)
    else:
        kill_all(ours if what == "server" else ours + database)


@contextmanager
def live_calls(server: Server, *, any_at_all: bool) -> Iterator[None]:
    """Somebody calls all the while, so that the import goes in small steps."""
    done = threading.Event()

    def call() -> None:
        with client_of(server) as api:
            while not done.wait(0.04):
                try:
                    api.post("/api/v1/contact", json={"externalCustomerId": "live"})
                except httpx.HTTPError:
                    continue

    thread = threading.Thread(target=call)
    if any_at_all:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if any_at_all:
            thread.join()


def wait_for_rows(url: str, number: int, goal: int) -> None:
    """Until so many rows have their outcome."""
    deadline = time.monotonic() + 60
    while done_rows(url, number) < goal:
        assert time.monotonic() < deadline, (goal, rows(url, "select state, error from import"))
        time.sleep(0.005)


def test_an_import_that_is_killed_again_and_again(start_server: StartServer, tmp_path: Path):
    seed = SEED or random.randrange(1, 1_000_000)
    print(f"again: KARTOTEKA_KILLS_SEED={seed}")
    chance, content = random.Random(seed), people_file(seed, ROWS)
    folder = tmp_path / "killed" / "data"
    server = start_server(folder, KARTOTEKA_PROCESSES="1")
    url = running_url(folder)
    accounts = [open_account(url, name) for name in ("quiet", "killed")]
    quiet, killed = (client_of(server, key) for _, key in accounts)
    named = [populate(quiet), populate(killed)]
    quietly = send(quiet, content, OPTIONS)
    assert wait_for(quiet, quietly)["state"] == "finished"
    number = send(killed, content, OPTIONS)
    goals = sorted(chance.randrange(ROWS) for _ in KILLS)
    for what, goal in zip(chance.sample(KILLS, len(KILLS)), goals, strict=True):
        with live_calls(server, any_at_all=chance.random() < 0.8):
            if chance.random() < 0.7:
                wait_for_rows(url, number, goal)
            time.sleep(chance.random() * 0.3)
            print(f"{time.monotonic():.1f} {done_rows(url, number)} rows, goal {goal}: kill {what}")
            kill(server, what)
        if what in ("server", "everything"):
            server.process.wait(20)
            server = start_server(folder, KARTOTEKA_PROCESSES="1")
            url = running_url(folder)
    with client_of(server, accounts[1][1]) as killed:
        one = wait_for(killed, number)
    assert (one["state"], one["done"], one["total"]) == ("finished", ROWS, ROWS)
    assert sum(one["counts"].values()) == ROWS
    expected = Left(url, accounts[0][0], quietly, named[0])
    assert_same(Left(url, accounts[1][0], number, named[1]), expected)
    assert_whole(url, accounts[1][0], number, ROWS)
    check(url)
    assert not list((folder / "imports").iterdir())
    assert rows(url, "select count(*) from import_payload") == [(0,)]
