"""A website as servers and pages speak to the tracker: `Website(url, site)` (wire 9.3, 9.4)."""

from __future__ import annotations

import itertools
import time
from typing import Any

import httpx

WITHIN_S = 60
PROMPT = {"origin": "https://shop.example"}


class Website:
    """Sends messages of visitors without a key; every answer is kept."""

    def __init__(self, client: httpx.Client, site: str, org_id: int) -> None:
        self.client = client
        self.site = site
        self.org_id = org_id
        self.answers: list[httpx.Response] = []
        self._numbers = itertools.count(1)

    def message(self, name: str, cookie: str, payload: Any = None, **info: Any) -> dict[str, Any]:
        """One message as the page of a shop sends it; `info` goes into GeneralInfo."""
        return {
            "GeneralInfo": {
                "eventName": name,
                "siteId": self.site,
                "datetime": int(time.time() * 1000),
                "cookies": {"sc": cookie},
                **info,
            },
            name: {} if payload is None else payload,
        }

    def says(self, name: str, cookie: str, payload: Any = None, **info: Any) -> None:
        self.send(self.message(name, cookie, payload, **info))

    def customer_data(self, cookie: str, **who: Any) -> None:
        self.says("CustomerData", cookie, who)

    def web_contact(self, cookie: str, **who: Any) -> None:
        self.send({"webId": cookie, "orgId": self.org_id, **who})

    def web_push(self, cookie: str, token: str) -> None:
        self.says("WebPush", cookie, {"token": token})

    def logs_out(self, cookie: str) -> None:
        self.says("logout", cookie)

    def send(self, body: Any, **headers: str) -> httpx.Response:
        answer = self.client.post("/api/v2", json=body, headers={**PROMPT, **headers})
        self.answers.append(answer)
        assert answer.status_code == 200, answer.text
        return answer

    def new_cookie(self) -> str:
        """Of a visitor who was never here."""
        return f"{next(self._numbers):08X}-0000-4000-8000-{time.monotonic_ns() % 10**12:012}"


def eventually(ask: Any, expected: Any) -> None:
    """Wait until that is the answer."""
    deadline = time.monotonic() + WITHIN_S
    while (answer := ask()) != expected:
        assert time.monotonic() < deadline, f"{answer!r} instead of {expected!r}"
        time.sleep(0.02)
