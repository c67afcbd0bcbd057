"""A server with people in it, and somebody who is signed in with a browser."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import TIMEOUT_MS, browser, playwright
from tests.conftest import ADMIN_PASSWORD as PASSWORD
from tests.conftest import Server, launch_again

__all__ = ["PASSWORD", "browser", "playwright"]

expect.set_options(timeout=TIMEOUT_MS)
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Artefacts of `make test`: what the pages looked like."""


def shoot(page: Page, name: str) -> None:
    """Keep what the page looks like now."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


LOGIN = "admin"
ARABIC = "شريف عبد الرحمن"
HOSTILE = '"><svg onload=alert(1)>'
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def admin_server(started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of pages; a test makes what it needs and leaves the rest alone."""
    folder = tmp_path_factory.mktemp("admin") / "data"
    started = launch_again(folder, started_once).wait_until_ready()
    with httpx.Client(base_url=started.url, auth=("", started.key), timeout=60) as client:
        _people(client)
    yield started
    started.stop()


def _people(client: httpx.Client) -> None:
    """The story that every card page is looked at with: an app, a registration, a merge, a theft."""
    token = {"type": "mobilepush", "value": "fcm:ann"}
    email = {"type": "email", "value": "ann@example.com"}
    for body in (
        {"channels": [token], "deviceId": "ios-ann"},
        {"externalCustomerId": "shop-1", "firstName": "Ann", "lastName": "Lee",
         "channels": [token, email], "deviceId": "ios-ann"},
        {"channels": [{"type": "email", "value": "ann.new@example.com"}]},
        {"externalCustomerId": "shop-1", "channels": [{"type": "email", "value": "ann.new@example.com"}]},
        {"externalCustomerId": "shop-2", "firstName": "Bob", "channels": [token], "deviceId": "ios-ann"},
        {"externalCustomerId": "ar-1", "firstName": "شريف", "lastName": "عبد الرحمن"},
        {"externalCustomerId": HOSTILE, "firstName": "<b>Mallory</b>", "lastName": HOSTILE,
         "contactKey": "' onmouseover='alert(1)",
         "channels": [{"type": "webpush", "value": "</title><script>alert(1)</script>"}]},
        {"externalCustomerId": "x" * 255, "firstName": "B" * 40, "lastName": "C" * 40},
    ):  # fmt: skip
        client.post("/api/v1/contact", json=body).raise_for_status()
    crowd = [
        {"externalCustomerId": f"crowd-{n}", "firstName": "Olena", "lastName": f"Crowd{n:03d}",
         "channels": [{"type": "email", "value": f"olena{n:03d}@crowd.example"}]}
        for n in range(70)
    ]  # fmt: skip
    call = {"contacts": crowd, "dedupeOn": "email"}
    started = client.post("/api/v1/contacts", json=call).raise_for_status().json()
    address = f"/api/v1/importstatus/{started['asyncSessionId']}"
    eventually(lambda: client.get(address).json()["status"] == "FINISHED")


def eventually(claim: Callable[[], object], timeout_s: float = 120) -> None:
    """Waits until `claim()` is true."""
    deadline = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


@pytest.fixture
def api(admin_server: Server) -> Iterator[httpx.Client]:
    """A client with the key of full rights."""
    with httpx.Client(base_url=admin_server.url, auth=("", admin_server.key), timeout=60) as client:
        yield client


class Visitor(httpx.Client):
    """Somebody without a browser: forms are posted as a browser would."""

    csrf = ""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"timeout": 60, **settings})

    def sign_in(self, login: str = LOGIN, password: str = PASSWORD) -> httpx.Response:
        """The answer to the form; afterwards `submit` works."""
        answer = self.post("/admin/sign-in", data={"login": login, "password": password})
        if answer.status_code == 303:
            self.read_token()
        return answer

    def read_token(self) -> None:
        """The token of the session's forms, for `submit`."""
        page = self.get("/admin/account").text
        self.csrf = re.search(r'name="csrf" value="(\w+)"', page)[1]  # type: ignore[index]

    def submit(self, path: str, **fields: Any) -> httpx.Response:
        """Post a form of a page."""
        return self.post(path, data={"csrf": self.csrf, **fields})


@pytest.fixture
def visitor(admin_server: Server) -> Iterator[Visitor]:
    """Nobody yet."""
    with Visitor(base_url=admin_server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def session(admin_server: Server) -> str:
    """The cookie of the owner: signing in costs a quarter of a second each time."""
    with Visitor(base_url=admin_server.url) as client:
        assert client.sign_in().status_code == 303
        return client.cookies["kartoteka_session"]


@pytest.fixture
def owner(visitor: Visitor, session: str) -> Visitor:
    """The admin of the first start, in a session that others share."""
    visitor.cookies.set("kartoteka_session", session)
    visitor.read_token()
    return visitor


@pytest.fixture(scope="session")
def state(session: str) -> Any:
    """The same for a browser."""
    cookie = {
        "name": "kartoteka_session",
        "value": session,
        "domain": "127.0.0.1",
        "path": "/admin",
    }
    flags = {"httpOnly": True, "secure": False, "sameSite": "Lax", "expires": -1}
    return {"cookies": [{**cookie, **flags}], "origins": []}


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(admin_server: Server, browser: Browser, state: Any) -> Iterator[OpenPage]:
    """`open_page("/admin", width=390)`: a page of the owner.

    Nothing may be wrong on its console, such as what the policy refused, and nothing may be asked for
    anywhere else.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def opened(path: str, *, width: int = 1440, theme: str = "light", script: bool = True,
               signed_in: bool = True) -> Page:  # fmt: skip
        context = browser.new_context(
            base_url=admin_server.url,
            storage_state=state if signed_in else None,
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            java_script_enabled=script,
            reduced_motion="reduce",  # or it draws all the while
            timezone_id="Europe/Kyiv",
        )
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.on("request", lambda asked: _is_ours(asked.url) or wrong.append(f"asked {asked.url}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("a script ran"), dialog.dismiss()))
        page.goto(path)
        return page

    def _is_ours(url: str) -> bool:
        return url.startswith((f"{admin_server.url}/admin", "data:", "blob:"))

    yield opened
    for context in contexts:
        context.close()
    # A refused form answers 4xx, which the console reports as a failed resource.
    assert not [text for text in wrong if "Failed to load resource" not in text]


@pytest.fixture
def name() -> str:
    """A word that no other test of this run uses."""
    return f"t{next(_numbers)}x{id(object()):x}"


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that looks for what keeps people out."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
