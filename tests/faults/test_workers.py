"""`kartoteka worker` beside a server: two of them, one killed, and none that outlives its server."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from kartoteka.db.embedded import running_url
from kartoteka.imports.pacing import ROWS_IN_A_BATCH
from tests.conftest import COMMAND, Server, StartServer, clean_environment, launch_again
from tests.faults.imports import (
    assert_whole,
    client_of,
    done_rows,
    look,
    send,
    wait_for,
    wait_until,
)
from tests.faults.invariants import check
from tests.faults.servers import rows
from tests.faults.test_killed import family

SOON_S = 60.0


@pytest.fixture(scope="module")
def served(started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that leaves all background work to others."""
    folder = tmp_path_factory.mktemp("workers") / "data"
    settings = {"KARTOTEKA_PROCESSES": "1", "KARTOTEKA_JOBS": "off"}
    server = launch_again(folder, started_once, **settings)
    yield server.wait_until_ready()
    server.stop()


@pytest.fixture
def api(served: Server) -> Iterator[httpx.Client]:
    with client_of(served) as client:
        yield client
    check(url_of(served))


def url_of(server: Server) -> str:
    return running_url(server.log.parent / "data")


@contextmanager
def working(server: Server) -> Iterator[subprocess.Popen[str]]:
    """A worker that has begun, stopped as a user stops it."""
    log = server.log.with_name(f"worker{time.monotonic_ns()}.log")
    with log.open("w") as errors:
        worker = subprocess.Popen(
            [COMMAND, "worker"],
            env=clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")},
            stderr=errors,
            text=True,
        )
    try:
        wait_until(lambda: "worker_started" in log.read_text(), told=log.read_text)
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


def people(prefix: str, number: int) -> str:
    return "External ID\n" + "".join(f"{prefix}{one}\n" for one in range(number))


def test_a_worker_carries_out_what_the_server_leaves_and_knows_the_erased(
    served: Server, api: httpx.Client
):
    """Its secret is the server's: with another one it would not recognise an erased person."""
    gone = api.post("/api/v1/contact", json={"externalCustomerId": "gone"}).json()["id"]
    api.delete(f"/api/v1/contact/{gone}", params={"erase": "true"}).raise_for_status()
    number = send(api, "External ID\ngone\nhere\n")
    time.sleep(0.5)
    assert look(api, number)["state"] == "queued"
    with working(served):
        counts = wait_for(api, number)["counts"]
    assert (counts["created"], counts["suppressed"]) == (1, 1)


@contextmanager
def held(server: Server, external_id: str) -> Iterator[None]:
    """Whoever wants to write this contact inside the block waits: an import stops there."""
    with psycopg.connect(url_of(server)) as connection:
        connection.execute(
            "select from contact where external_id = %s for update", (external_id,)
        ).fetchone()
        yield


def test_a_worker_that_is_killed_hands_its_import_to_the_other_at_once(
    served: Server, api: httpx.Client
):
    total = 6 * ROWS_IN_A_BATCH
    last = f"handed{total - 1}"
    api.post("/api/v1/contact", json={"externalCustomerId": last}).raise_for_status()
    with working(served) as first, ExitStack() as second:
        with held(served, last):
            number = send(api, people("handed", total))
            wait_until(lambda: done_rows(url_of(served), number) > 0)
            second.enter_context(working(served))
            first.kill()
            first.wait(60)
            assert done_rows(url_of(served), number) < total
        one = wait_for(api, number)
    counts = one["counts"]
    assert (one["state"], counts["created"], counts["unchanged"]) == ("finished", total - 1, 1)
    [(account,)] = rows(url_of(served), "select min(account_id) from account")
    assert_whole(url_of(served), account, number, total)


def test_two_workers_keep_the_order_of_calls_and_do_each_once(served: Server, api: httpx.Client):
    """The same contact in thirty calls: the last one wins, and there were thirty changes."""
    with working(served), working(served):
        for number in range(30):
            contact: dict[str, Any] = {"externalCustomerId": "ordered", "firstName": f"Ann{number}"}
            body = {"dedupeOn": "externalCustomerId", "contacts": [contact]}
            session = api.post("/api/v1/contacts", json=body).json()["asyncSessionId"]
            if number % 7 == 0:
                time.sleep(0.1)
        wait_until(
            lambda: api.get(f"/api/v1/importstatus/{session}").json()["status"] == "FINISHED"
        )
    [(name, version)] = rows(
        url_of(served), "select first_name, version from contact where external_id = 'ordered'"
    )
    assert (name, version) == ("Ann29", 30)
    assert rows(url_of(served), "select count(*) from import where source = 'call'") == [(30,)]


def test_no_process_outlives_a_server_that_was_killed(start_server: StartServer, tmp_path: Path):
    """kill -9 of the parent alone, in the middle of an import: all others end by themselves."""
    server = start_server(tmp_path / "orphans" / "data", KARTOTEKA_PROCESSES="1")
    url, total = url_of(server), 6 * ROWS_IN_A_BATCH
    last = f"orphan{total - 1}"
    with client_of(server) as api:
        api.post("/api/v1/contact", json={"externalCustomerId": last}).raise_for_status()
        # The database that ends takes our connection along.
        with suppress(psycopg.OperationalError), held(server, last):
            number = send(api, people("orphan", total))
            wait_until(lambda: done_rows(url, number) > 0)
            ours, database = family(server)
            assert len(ours) >= 3
            assert database
            server.process.kill()
            left = psutil.wait_procs(ours + database, timeout=SOON_S)[1]
            assert left == []
    again = start_server(tmp_path / "orphans" / "data", KARTOTEKA_PROCESSES="1")
    with client_of(again) as api:
        assert wait_for(api, number)["state"] == "finished"
    assert_whole(url_of(again), 1, number, total)
