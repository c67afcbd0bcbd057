"""The pages of somebody who looks after contacts, with everybody there that the file before brought.

Each page is asked for by one browser after another, whole, as the server renders it. The floor is a
page with the same frame and session that reads no contact.
"""

from __future__ import annotations

import http.client
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench.figures import Measured, percentile_ms
from bench.jobs.base import Checked, Compared, OwnJob
from bench.jobs.segments import make
from bench.setting import Length, Setting, say
from kartoteka.access.passwords import hash_password
from kartoteka.db.named import load_queries

LOGIN, PASSWORD = "bench", "a password for measuring"
FLOOR = "/admin/shortcuts"
TIMES, QUICK_TIMES = 20, 5
PAGES = (
    "/admin",
    "/admin/contacts",
    "/admin/contacts?q=anna",
    "/admin/contacts?q=koval+anna",
    "/admin/contacts?q=person01",
    "/admin/contacts?q=extid:crm-00001",
    "/admin/contacts?noid=1",
    "/admin/contacts?removed=1",
    "/admin/contacts?channel=email&source=API",
    "/admin/contacts?before=500000",
    "/admin/contacts/1000",
    "/admin/contacts/1000/identity",
    "/admin/segments",
    "/admin/segments/new",
    "/admin/imports",
    "/admin/exports",
    "/admin/settings/fields",
    "/admin/settings/audit",
    "/admin/duplicates",
    "/admin/duplicates?skip=200",
    "/admin/duplicates?by=likeness",
    "/admin/duplicates/apart",
    "/admin/quarantine",
    "/admin/merge?keep=1000&absorb=2000",
    "/admin/simulator",
)
_QUERIES = load_queries("bench", "pages.sql")
_EVERYBODY = {"field": "email", "operator": "is_set"}


class Browser:
    """One connection that is signed in."""

    def __init__(self, setting: Setting) -> None:
        self._http = http.client.HTTPConnection(
            setting.server.host, setting.server.port, timeout=60
        )
        form = urlencode({"login": LOGIN, "password": PASSWORD})
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        self._http.request("POST", "/admin/sign-in", form, head)
        answer = self._http.getresponse()
        answer.read()
        assert answer.status == 303, answer.status
        self._cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def get(self, path: str) -> tuple[int, int]:
        """(status, microseconds) of one page."""
        started = time.perf_counter()
        self._http.request("GET", path, headers={"Cookie": self._cookie})
        answer = self._http.getresponse()
        answer.read()
        return answer.status, int((time.perf_counter() - started) * 1_000_000)


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """The pages and the floor in turn, several times."""
    measured = Measured(job, setting.processes)
    pages = (*PAGES, *_prepare(setting))
    browser = Browser(setting)
    times = QUICK_TIMES if length.quick else TIMES
    slowest: dict[str, float] = {}
    for _ in range(length.rounds):
        ours: dict[str, list[int]] = {path: [] for path in pages}
        floor: list[int] = []
        started = time.perf_counter()
        for _ in range(times):
            for path, found in ours.items():
                status, took = browser.get(path)
                if status != 200:
                    measured.failure = f"{path} answers {status}"
                    return measured
                found.append(took)
            floor += [browser.get(FLOOR)[1] for _ in pages]
        seconds = time.perf_counter() - started
        latencies = [took for found in ours.values() for took in found]
        measured.ours.add(len(latencies) / seconds, latencies)
        measured.floor.add(len(floor) / seconds, floor)
        for path, found in ours.items():
            slowest[path] = max(slowest.get(path, 0), percentile_ms(found, 50))
    measured.note(_sentence(slowest))
    say(f"  {measured.checked}")
    return measured


def _sentence(slowest: dict[str, float]) -> Checked:
    path = max(slowest, key=lambda one: slowest[one])
    sentence = f"{len(slowest)} pages; the slowest is {path}, {slowest[path]:.0f} ms in its median"
    return Checked(sentence, slowest[path] < 200)


def _prepare(setting: Setting) -> tuple[str, ...]:
    """Somebody who signs in, what the pages of part 6 show, and a segment of everybody; its pages."""
    _add_user(setting)
    with psycopg.connect(setting.server.database_url, autocommit=True) as connection:
        for query in _QUERIES.values():
            connection.execute(query.sql, {"account_id": setting.account_id})
        for table in ("identifier", "duplicate", "apart"):
            connection.execute(f"vacuum (analyze) {table}")
    (everybody,) = make(setting, [_EVERYBODY])
    segment = f"/admin/segments/{everybody}"
    return segment, f"{segment}?skip=1000", f"{segment}/edit", f"{segment}/why/1000"


def _add_user(setting: Setting) -> None:
    row: dict[str, Any] = {
        "account": setting.account_id,
        "login": LOGIN,
        "hash": hash_password(PASSWORD),
        "at": datetime.now(UTC),
    }
    with psycopg.connect(setting.server.database_url, autocommit=True) as connection:
        connection.execute(
            "insert into admin_user (account_id, login, password_hash, role, created_at) "
            "values (%(account)s, %(login)s, %(hash)s, 'owner', %(at)s) on conflict do nothing",
            row,
        )


def keep_busy(setting: Setting, seconds: float) -> None:
    """The same pages for about so long."""
    _add_user(setting)
    browser = Browser(setting)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path in PAGES:
            browser.get(path)


JOB = OwnJob(
    name="pages",
    title="pages of the admin UI, one browser, behind all contacts of the file",
    floor_says="a page with the same frame and session and no contact",
    target=40,
    compared=Compared.LATENCY,
    p99_ms=200,
    measure=measure,
    keep_busy=keep_busy,
)
