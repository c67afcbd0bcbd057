"""A small shop for tests: it serves the pages of `tracker/pages` and has a server of its own.

`/register` is what a client's system does: it takes the form, gives the person an External ID and sends
both with the visitor's cookie to Kartoteka (guide G5.4, G5.5).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

PAGES = Path(__file__).parents[2] / "tracker" / "pages"
NAME = "shop.example"
SNIPPET = "<!-- snippet -->"


class Shop:
    """`url` is its address for browsers, `registered` the contact ids that Kartoteka answered."""

    def __init__(self, kartoteka: str, api: httpx.Client) -> None:
        self.api = api
        port = urlsplit(kartoteka).port
        self.tracker = f"http://kartoteka.example:{port}"
        self.site = api.post("/api/v1/site/domains", json={"domain": NAME}).json()["siteId"]
        headers = {"Host": f"kartoteka.example:{port}"}
        self.snippet = api.get("/api/v1/site/script", headers=headers).text
        self.registered: list[int] = []
        self.asked: list[dict[str, Any]] = []
        self.customers = itertools.count(1)
        self.url = ""

    def page(self, name: str) -> str | None:
        """A page with the snippet that Kartoteka gave."""
        path = PAGES / name
        if path.parent != PAGES or not path.exists():
            return None
        text = path.read_text("utf-8").replace(SNIPPET, self.snippet)
        script = f"{self.tracker}/scripts/{self.site}.js"
        return text.replace("{host}", self.tracker).replace("{script}", script)

    def register(self, form: dict[str, list[str]], cookie: str | None) -> None:
        """A new customer: an External ID, and everything to Kartoteka (Add/update a contact)."""
        contact = {
            "externalCustomerId": f"CUSTOMER-{next(self.customers)}",
            "firstName": form["name"][0],
            "channels": [
                {"type": "email", "value": form["email"][0]},
                {"type": "sms", "value": form["phone"][0]},
            ],
            "webId": cookie,
        }
        self.asked.append(contact)
        answer = self.api.post("/api/v1/contact", json=contact)
        assert answer.status_code == 200, answer.text
        self.registered.append(answer.json()["id"])


@contextmanager
def open_shop(kartoteka: str, api: httpx.Client) -> Iterator[Shop]:
    """The shop, with its web server."""
    shop = Shop(kartoteka, api)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = shop.page(urlsplit(self.path).path.lstrip("/") or "index.html")
            self._answer(200 if text else 404, text or "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            cookies = SimpleCookie(self.headers.get("cookie", ""))
            shop.register(parse_qs(body), cookies["sc"].value if "sc" in cookies else None)
            self._answer(200, shop.page("index.html") or "")

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.url = f"http://{NAME}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
