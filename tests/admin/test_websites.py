"""Part 7: a shop loads the script, and settings see it: in its page, and by its visits."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.admin.conftest import LOGIN, PASSWORD, shoot
from tests.conftest import Server, StartServer

HERE = "127.0.0.1"
ROUTE = f"""
import httpcore

dial = httpcore.AnyIOBackend.connect_tcp


async def connect_tcp(self, host, port, *more, **named):
    return await dial(self, host, {{port}} if (host, port) == ("{HERE}", 80) else port, *more, **named)


httpcore.AnyIOBackend.connect_tcp = connect_tcp
"""
"""A server of a test may not listen on port 80: whoever dials it is led to the shop's."""


class Shop(BaseHTTPRequestHandler):
    """A page with whatever snippet it was given."""

    def __init__(self, snippet: list[str], *given: object) -> None:
        self._snippet = snippet
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = f"<!doctype html><title>Shop</title><h1>Shop</h1>{self._snippet[0]}".encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[tuple[list[str], int]]:
    """The snippet of its page, to be set, and its port."""
    snippet = [""]
    server = ThreadingHTTPServer((HERE, 0), partial(Shop, snippet))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield snippet, server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def kartoteka(start_server: StartServer, shop: tuple[list[str], int], tmp_path: Path) -> Server:
    """A server that may look at this machine."""
    (tmp_path / "route").mkdir()
    (tmp_path / "route" / "sitecustomize.py").write_text(ROUTE.format(port=shop[1]))
    path = os.pathsep.join(filter(None, (str(tmp_path / "route"), os.environ.get("PYTHONPATH"))))
    return start_server(
        KARTOTEKA_ADMIN_PASSWORD=PASSWORD,
        KARTOTEKA_ALLOW_PRIVATE_ADDRESSES="on",
        KARTOTEKA_PROCESSES="1",
        PYTHONPATH=path,
    )


def test_the_script_is_seen_in_the_page_and_by_its_visits(kartoteka, shop, browser):
    snippet, port = shop
    context = browser.new_context(base_url=kartoteka.url)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/admin/sign-in?next=/admin/settings/websites")
    page.get_by_label("Login").fill(LOGIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Domain").fill(HERE)
    page.get_by_role("button", name="Add website").click()
    panel = page.locator("section", has_text=HERE)
    panel.get_by_role("button", name="Is it installed?").click()
    expect(panel.locator("#checked")).to_contain_text("does not have the script")
    snippet[0] = panel.locator("pre").inner_text()
    panel.get_by_role("button", name="Is it installed?").click()
    expect(panel.locator("#checked")).to_contain_text("The script is on the first page.")
    expect(panel).to_contain_text("No visit yet")
    visitor = browser.new_context().new_page()
    visitor.goto(f"http://{HERE}:{port}/")
    expect(panel).to_contain_text("Visits arrive", timeout=120_000)
    expect(panel.locator("#checked")).to_contain_text("The script is on the first page.")
    shoot(page, "settings-websites-installed-1440")
    visitor.context.close()
    context.close()
