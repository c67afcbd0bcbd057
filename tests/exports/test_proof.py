"""A random workload while exports run and processes are killed: afterwards target = source, by hash."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kartoteka.exports.datasets import BY_NAME
from tests.conftest import StartServer
from tests.exports.conftest import Warehouse, picture_of, table
from tests.exports.test_targets import bigquery_look
from tests.faults.imports import client_of
from tests.faults.servers import rows
from tests.faults.test_imports_killed import Killed
from tests.scenarios.website import Website

KILLS = ("jobs", "jobs", "backend", "jobs", "server", "everything")
OPERATIONS = 300
TO_BIGQUERY = ("contacts", "devices", "events", "orders", "orderItems", "redirects")
SEED = int(os.environ.get("KARTOTEKA_KILLS_SEED", "0"))
"""Set it to hunt with the same workload and the same plan of kills again."""


class Traffic:
    """Many people, of whom anything may be said at any time: they merge, by themselves and by hand, and
    merges are undone."""

    def __init__(self, killed: Killed, chance: random.Random) -> None:
        self._killed = killed
        self._chance = chance
        self.done = 0
        self.site = ""
        self.merged = self.undone = 0
        self.stopping = threading.Event()
        self._orders = 0

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                with client_of(self._killed.server) as api:
                    while not self.stopping.is_set():
                        self._one(api)
                        self.done += 1
                        time.sleep(0.01)
            except (httpx.HTTPError, AssertionError):  # killed: the answer is another, or none
                time.sleep(0.1)

    def _one(self, api: httpx.Client) -> None:
        what = self._chance.choice((self._person,) * 6 + (self._token,) * 2 + _OTHERS)
        what(self, api) if what in _OTHERS else what(api)

    def _x(self) -> str:
        return f"X{self._chance.randrange(40)}"

    def _person(self, api: httpx.Client) -> None:
        number = self._chance.randrange(40)
        channels = [{"type": "email", "value": f"p{number}@example.com"}]
        if self._chance.random() < 0.4:
            token = f"token-{self._chance.randrange(30)}"
            device = {"appId": "app", "os": "iOS", "deviceModel": "Phone, «large»\n"}
            channels.append({"type": "mobilepush", "value": token, "device": device})
        name = self._chance.choice(("Анна", "O'Brien", "محمد", "Zoë", "Bob"))
        body = {"externalCustomerId": f"X{number}", "firstName": name, "channels": channels}
        api.post("/api/v1/contact", json=body)

    def _token(self, api: httpx.Client) -> None:
        token = f"token-{self._chance.randrange(30)}"
        api.post("/api/v1/contact", json={"channels": [{"type": "mobilepush", "value": token}]})

    def order(self, api: httpx.Client) -> None:
        self._orders += self._chance.random() < 0.7
        order = {
            "externalOrderId": f"O{self._orders}",
            "externalCustomerId": self._x(),
            "totalCost": self._chance.randrange(100_000) / 100,
            "currency": "UAH",
            "status": self._chance.choice(("INITIALIZED", "DELIVERED", "CANCELLED")),
            "date": "2026-03-01T12:00:00+03:00",
            "items": [
                {
                    "externalItemId": f"I{n}",
                    "quantity": n + 1,
                    "name": "Sock\tleft\\right",
                    "cost": 5,
                }
                for n in range(self._chance.randrange(4))
            ],
        }
        api.post("/api/v1/orders", json={"orders": [order]})

    def subscribe(self, api: httpx.Client) -> None:
        email = f"p{self._chance.randrange(60)}@example.com"
        contact = {"channels": [{"type": "email", "value": email}]}
        body = {"contact": contact, "groups": [self._chance.choice(("News", "Sale"))]}
        api.post("/api/v1/contact/subscribe", json=body)

    def event(self, api: httpx.Client) -> None:
        """Of somebody who is known, or of a token that waits for its contact."""
        token = f"token-{self._chance.randrange(30)}"
        who = (
            {"externalCustomerId": self._x()}
            if self._chance.random() < 0.6
            else {"pushToken": token}
        )
        params = [
            {"name": name, "value": value} for name, value in {**who, "page": 'a "b"'}.items()
        ]
        body = {"eventTypeKey": self._chance.choice(("seen", "liked")), "params": params}
        api.post("/api/v2/event", json=body)

    def visit(self, api: httpx.Client) -> None:
        """A page, and now and then who is looking at it."""
        cookie = f"{self._chance.randrange(20):08X}-0000-4000-8000-000000000000"
        website = Website(api, self.site, 0)
        if self._chance.random() < 0.3:
            website.customer_data(cookie, externalCustomerId=self._x())
        else:
            website.says("MainPage", cookie)

    def merge(self, api: httpx.Client) -> None:
        """Two of the people by hand, whatever they are."""
        found = api.get("/api/v1/contacts", params={"maxrows": 100}).raise_for_status()
        ids = [one["id"] for one in found.json()]
        if len(ids) > 1:
            keep, absorb = self._chance.sample(ids, 2)
            answer = api.post("/api/v1/merges", json={"keep": keep, "absorb": absorb})
            self.merged += answer.status_code == 200

    def undo(self, api: httpx.Client) -> None:
        """One of the last merges, by hand or not; it may be refused (decisions D28)."""
        found = api.get("/api/v1/merges", params={"maxrows": 12}).raise_for_status()
        if merges := found.json():
            one = self._chance.choice(merges)
            answer = api.post(f"/api/v1/merges/{one['id']}/undo", json={})
            self.undone += answer.status_code == 200

    def remove(self, api: httpx.Client) -> None:
        params = {"externalCustomerId": self._x(), "erase": self._chance.random() < 0.4}
        api.delete("/api/v1/contact", params=params)


_OTHERS = (
    *(Traffic.order, Traffic.event, Traffic.event, Traffic.visit, Traffic.visit),
    *(Traffic.subscribe, Traffic.remove, Traffic.merge, Traffic.undo, Traffic.undo),
)


def ask_for_runs(killed: Killed, exports: list[int], stopping: threading.Event) -> None:
    """Somebody presses *run now* all the time."""
    while not stopping.wait(0.15):
        try:
            with client_of(killed.server) as api:
                for export_id in exports:
                    api.post(f"/api/v1/exports/{export_id}/run")
        except httpx.HTTPError:
            continue


def test_the_target_is_the_source_after_any_number_of_kills(
    start_server: StartServer, tmp_path: Path, warehouse: Warehouse, emulator: str
):
    seed = SEED or random.randrange(1, 1_000_000)
    print(f"again: KARTOTEKA_KILLS_SEED={seed}")
    chance = random.Random(seed)
    killed = Killed(start_server, tmp_path / "killed" / "data")
    look = bigquery_look(emulator, f"proof_{seed}")
    with client_of(killed.server) as api:
        exports = [
            create(api, "postgres", {"url": warehouse.url, "schema": "public"}, list(BY_NAME)),
            create(
                api,
                "bigquery",
                {"project": "test-shop", "dataset": f"proof_{seed}", "endpoint": emulator},
                list(TO_BIGQUERY),
            ),
        ]
    traffic = Traffic(killed, chance)
    with client_of(killed.server) as api:
        answer = api.post("/api/v1/site/domains", json={"domain": "shop.example"})
        traffic.site = answer.json()["siteId"]
        condition = {"field": "firstName", "operator": "equals", "value": "Bob"}
        api.post("/api/v1/segments", json={"name": "Bobs", "condition": condition})
    threads = [
        threading.Thread(target=traffic.run),
        threading.Thread(target=ask_for_runs, args=(killed, exports, traffic.stopping)),
    ]
    for thread in threads:
        thread.start()
    try:
        for number, what in enumerate(chance.sample(KILLS, len(KILLS)), 1):
            until(lambda: traffic.done >= number * OPERATIONS // len(KILLS))  # noqa: B023
            time.sleep(chance.random() * 0.4)
            print(f"{traffic.done} operations are done, kill: {what}")
            killed.kill(what)
    finally:
        traffic.stopping.set()
        for thread in threads:
            thread.join()
    runs = [finish(killed, export_id) for export_id in exports]
    ((account_id,),) = rows(killed.url, "select account_id from account")
    redirects = dict(table(warehouse, "redirects"))
    for name in BY_NAME:
        ours = picture_of(killed.url, account_id, name)
        leads = redirects if name in ("events", "orders") else {}
        assert hashes(table(warehouse, name), leads) == hashes(ours), (name, runs[0])
        if name in TO_BIGQUERY:
            assert hashes(look(name), leads) == hashes(ours), (name, runs[1])
    for run in rows(
        killed.url,
        "select export_id, run_id, state, attempts, rows, created_at::time(0), started_at::time(0), "
        "finished_at::time(0), code from export_run order by run_id",
    ):
        print(*run)
    print({name: len(table(warehouse, name)) for name in BY_NAME}, traffic.merged, traffic.undone)
    assert min(traffic.merged, traffic.undone) > 0


def create(api: httpx.Client, target: str, settings: dict[str, Any], datasets: list[str]) -> int:
    body = {"name": target, "target": target, "settings": settings, "datasets": datasets}
    answer = api.post("/api/v1/exports", json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def finish(killed: Killed, export_id: int) -> dict[str, Any]:
    """A last run, that has everything; it is tried again when an earlier kill still echoes."""
    run: dict[str, Any] = {}

    def is_finished() -> bool:
        nonlocal run
        with client_of(killed.server) as api:
            answer = api.post(f"/api/v1/exports/{export_id}/run", params={"wait": "true"})
            run = answer.json()
            return answer.status_code == 200 and run["state"] == "finished"

    until(is_finished)
    return run


def until(holds: Callable[[], bool], timeout_s: float = 240) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if holds():
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


def hashes(found: list[list[str]], leads: dict[str, str] | None = None) -> list[str]:
    """Each row as a hash: JSON is compared as what it says.

    Events and orders keep the contact that they were written with; `leads` has the redirects (D33).
    """
    known = leads or {}
    rows = ([known.get(row[0], row[0]), *row[1:]] if row[1:] else row for row in found)
    spelled = ("\x1f".join(map(_plain, row)) for row in rows)
    return sorted(hashlib.sha256(row.encode()).hexdigest() for row in spelled)


def _plain(value: str) -> str:
    import json

    if value.startswith(("{", "[")):
        return json.dumps(json.loads(value), sort_keys=True)
    return value


pytestmark = pytest.mark.slow
