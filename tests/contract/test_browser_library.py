"""analytics.js as npm has it, unmodified, in a real browser, on a page of another origin (clients 6)."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext

from tests.api.conftest import make_key
from tests.browser import browser, context, playwright
from tests.contract.test_segment_clients import INSTALLED

__all__ = ["browser", "context", "playwright"]

LIBRARY = INSTALLED / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"
PAGE = """<!doctype html><title>Shop</title><h1>Shop</h1>
<script src="/index.js"></script>
<script>
  const batching = {strategy: 'batching', config: {size: 10, timeout: 200}}
  const delivery = %(batching)s ? {deliveryStrategy: batching} : {}
  window.analytics = AnalyticsNext.AnalyticsBrowser.load(
    {writeKey: '%(key)s', cdnURL: '%(base)s'},
    {integrations: {'Segment.io': delivery}}
  )
  analytics.page('Shop', 'Home')
</script>"""
WITHIN_S = 60


class _Files(SimpleHTTPRequestHandler):
    """The library's files, and a page that embeds it."""

    page = ""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        body = self.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture(params=[False, True], ids=["one by one", "in batches"])
def shop(server: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a page with the library."""
    assert Path(LIBRARY).is_dir(), "make test installs it"
    key = make_key(server, "--kind", "browser")
    batching = "true" if request.param else "false"
    page = PAGE % {"key": key, "base": server.url, "batching": batching}
    handler = functools.partial(type("Files", (_Files,), {"page": page}), directory=str(LIBRARY))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        thread = threading.Thread(target=files.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{files.server_port}/"
        files.shutdown()


def test_a_page_with_analytics_js_is_a_visitor_and_then_a_person(
    server: Any, api: httpx.Client, context: BrowserContext, shop: str, name: str
) -> None:
    """It asks for its settings, sends page, track and identify, and the history is the contact's."""
    known = {"externalCustomerId": name, "firstName": "Ann", "channels": []}
    number = api.post("/api/v1/contact", json=known).json()["id"]
    page = context.new_page()
    refused: list[str] = []
    page.on("requestfailed", lambda failed: refused.append(failed.url))
    page.goto(shop)
    page.evaluate("() => analytics.track('Product Viewed', {sku: 'P-1'})")
    page.evaluate("(user) => analytics.identify(user, {firstName: 'Mallory'})", name)
    page.evaluate("() => analytics.group('g-1', {name: 'Group'})")

    def done() -> set[tuple[str, str]]:
        timeline = api.get(f"/api/v1/contact/{number}/timeline").json()
        return {(one["type"], one["key"]) for one in timeline}

    deadline = time.monotonic() + WITHIN_S
    wanted = {("visit", "PageView"), ("event", "Product Viewed"), ("event", "group")}
    while not wanted <= done():
        assert time.monotonic() < deadline, (done(), refused)
        time.sleep(0.1)
    assert api.get(f"/api/v1/contact/{number}").json()["firstName"] == "Ann"
    (view,) = [
        one
        for one in api.get(f"/api/v1/contact/{number}/timeline").json()
        if one["key"] == "PageView"
    ]
    assert view["params"]["url"] == shop
    assert [url for url in refused if url.startswith(server.url)] == []
