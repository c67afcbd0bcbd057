"""POST contacts/upload: a file behind a link (wire 3.11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_imports import files_of
from tests.conftest import launch_again

FILES: dict[str, bytes] = {
    "/people.csv": b"First name,SMS,Email,Shoe size,PERSONAL.BIRTHDAY,External ID\n"
    b"Alice,+380671234501,alice@example.com,38,1990-01-31,A-1\n"
    b"Bob,+380671234502,,44,,B-1\n",
    "/empty.csv": b"",
    "/no-columns.csv": b"Farbe\nrot\n",
}


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = FILES.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Somebody else's web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server that may follow links into its own network."""
    folder = tmp_path_factory.mktemp("server") / "data"
    settings = {"KARTOTEKA_ALLOW_PRIVATE_ADDRESSES": "on"}
    started = launch_again(folder, started_once, **settings).wait_until_ready()
    yield started
    started.stop()


def upload(api: httpx.Client, link: Any, **more: Any) -> httpx.Response:
    return api.post("/api/v1/contacts/upload", json={"dedupeOn": "email", "link": link, **more})


def test_a_file_is_fetched_and_imported(api: httpx.Client, site: str):
    answer = upload(api, f"{site}/people.csv", dedupeOn="email_or_sms", groupNames=["From a link"])
    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert set(body) == {"message", "importId", "fileId", "valid"}
    assert body["valid"] is True
    deadline = time.monotonic() + 60
    while (status := api.get(f"/api/v1/importstatus/{body['importId']}").json())["status"] != (
        "FINISHED"
    ):
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    values = [pair["dedupeValue"] for pair in status["mapping"]]
    assert values == ["380671234501", "380671234502"]
    one = api.get(f"/api/v1/imports/{body['fileId']}").json()
    assert (one["source"], one["file"]["name"]) == ("link", "people.csv")
    assert one["counts"]["created"] == 2
    alice = api.get("/api/v1/contacts", params={"email": "alice@example.com"}).json()[0]
    assert (alice["firstName"], alice["fields"][0]["value"]) == ("Alice", "1990-01-31")
    assert [group["name"] for group in alice["groups"]] == ["From a link"]
    assert "externalCustomerId" not in alice  # no column of this method


@pytest.mark.parametrize(
    ("link", "more", "code"),
    [
        ("SITE/missing.csv", {}, "link_failed"),
        ("SITE/empty.csv", {}, "file_unreadable"),
        ("SITE/no-columns.csv", {}, "invalid_options"),
        ("file:///etc/passwd", {}, "link_refused"),
        ("ftp://example.com/a.csv", {}, "link_refused"),
        ("http://169.254.169.254/latest", {}, "link_refused"),
        ("", {}, "invalid_body"),
        (None, {}, "invalid_body"),
        (["SITE/people.csv"], {}, "invalid_body"),
        ("SITE/people.csv", {"dedupeOn": "externalCustomerId"}, "invalid_options"),
        ("SITE/people.csv", {"dedupeOn": None}, "invalid_options"),
    ],
    ids=[
        *("missing", "empty", "no known column", "file", "ftp", "metadata", "blank", "null"),
        *("list", "external id", "no dedupeOn"),
    ],
)
def test_what_cannot_be_fetched_or_read_is_a_bad_request(
    api: httpx.Client, server: Any, site: str, link: Any, more: dict[str, Any], code: str
):
    given = link.replace("SITE", site) if isinstance(link, str) else link
    files = files_of(server)
    before = api.get("/api/v1/imports").headers["totalcount"]
    answer = upload(api, given, **more)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"].endswith(".")
    assert api.get("/api/v1/imports").headers["totalcount"] == before
    # The file of the import before may still be on its way out.
    assert files_of(server) <= files


def test_the_password_in_a_link_is_neither_answered_nor_logged(
    api: httpx.Client, server: Any, site: str
):
    link = f"{site}/missing.csv".replace("http://", "http://shop:s3cret-word@")
    answer = upload(api, link)
    assert answer.status_code == 400
    assert "s3cret-word" not in answer.text
    assert "s3cret-word" not in server.log.read_text()
