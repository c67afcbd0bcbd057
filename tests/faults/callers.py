"""Shops that send one bulk call after the other while the server is killed under them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.conftest import Server
from tests.faults.imports import client_of, wait_until
from tests.faults.servers import in_letters, rows

NEW = 6
"""New contacts in each call; the shop's own contact stands in the middle."""


def name_after(number: int) -> str:
    """What the shop's own contact is called after that call."""
    return f"after {in_letters(number)}"


class Caller:
    """One shop. Each of its calls renames its own contact and brings new ones.

    `keeps_asking`: a call that was not answered is sent again under its Idempotency-Key; otherwise
    it is given up, and may have been taken or not.
    """

    def __init__(self, name: str, key: str, *, keeps_asking: bool) -> None:
        self.name = name
        self.key = key
        self.keeps_asking = keeps_asking
        self.sent = 0
        self.sessions: dict[int, str] = {}

    def body(self, number: int) -> dict[str, Any]:
        new = [{"externalCustomerId": f"{self.name}.{number}.{one}"} for one in range(NEW)]
        own = {"externalCustomerId": self.name, "firstName": name_after(number)}
        return {
            "dedupeOn": "externalCustomerId",
            "eventKeyForNewContacts": "new",
            "contacts": [*new[:3], own, *new[3:]],
        }

    def call(self, server: Callable[[], Server], until: threading.Event) -> None:
        """Call and call until told to stop; `server` is the one that runs now."""
        while not until.is_set():
            self.sent += 1
            while not self._is_answered(server()) and self.keeps_asking and not until.is_set():
                time.sleep(0.05)
            time.sleep(0.05)

    def _is_answered(self, server: Server) -> bool:
        headers = {"Idempotency-Key": f"{self.name}-{self.sent}"} if self.keeps_asking else {}
        try:
            with client_of(server, self.key) as api:
                body = self.body(self.sent)
                answer = api.post("/api/v1/contacts", json=body, headers=headers)
        except httpx.HTTPError:
            return False
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            self.sessions[self.sent] = answer.json()["asyncSessionId"]
        return answer.status_code == 200

    def verify(self, server: Server, url: str) -> None:
        """No answered call is lost, none was done twice, in part or after a later one."""
        with client_of(server, self.key) as api:
            for session in self.sessions.values():
                self._wait_for(api, session)
        brought: dict[int, int] = {}
        for (external_id,) in rows(
            url, "select external_id from contact where external_id like %s", f"{self.name}.%"
        ):
            number = int(external_id.split(".")[1])
            brought[number] = brought.get(number, 0) + 1
        assert set(brought.values()) == {NEW}
        assert set(self.sessions) <= set(brought)
        if self.keeps_asking:
            assert set(brought) <= {*self.sessions, self.sent}
        [(name, changes)] = rows(
            url, "select first_name, version from contact where external_id = %s", self.name
        )
        assert (name, changes) == (name_after(max(brought)), len(brought))

    def _wait_for(self, api: httpx.Client, session: str) -> None:
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(api.get(f"/api/v1/importstatus/{session}").json())
            return found["status"] == "FINISHED"

        wait_until(is_over, told=lambda: str(found))
        assert len(found["mapping"]) == NEW + 1


@contextmanager
def calling(callers: list[Caller], server: Callable[[], Server]) -> Iterator[None]:
    """They all call while the block lasts."""
    done = threading.Event()
    threads = [threading.Thread(target=one.call, args=(server, done)) for one in callers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
