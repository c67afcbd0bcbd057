"""Files over HTTP: sent, previewed, imported, watched, stopped, and their statements."""

from __future__ import annotations

import base64
import csv
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from kartoteka.db.embedded import running_url
from kartoteka.imports.model import OUTCOMES
from tests.api.conftest import make_key

OVER = ("finished", "cancelled", "failed")


def send(
    api: httpx.Client,
    content: bytes | str,
    options: Any = None,
    *,
    name: str = "people.csv",
    path: str = "/api/v1/imports",
) -> httpx.Response:
    data = {} if options is None else {"options": json.dumps(options)}
    raw = content.encode() if isinstance(content, str) else content
    return api.post(path, files={"file": (name, raw)}, data=data)


def preview(api: httpx.Client, content: bytes | str, options: Any = None) -> httpx.Response:
    return send(api, content, options, path="/api/v1/imports/preview")


def finished(api: httpx.Client, started: httpx.Response, timeout_s: float = 90) -> dict[str, Any]:
    """The import when it is over."""
    assert started.status_code == 200, started.text
    return wait_for(api, started.json()["id"], OVER, timeout_s)


def wait_for(
    api: httpx.Client, number: int, states: tuple[str, ...], timeout_s: float = 90
) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while (one := api.get(f"/api/v1/imports/{number}").json())["state"] not in states:
        assert time.monotonic() < deadline, one
        time.sleep(0.1)
    return one


def files_of(server: Any) -> set[Path]:
    """What waits in the folder of imports, which the first of them makes."""
    return set((server.log.parent / "data" / "imports").glob("*"))


def people(name: str, count: int) -> str:
    rows = "".join(f"{name}-{number},{name}-{number}@example.com\n" for number in range(count))
    return f"External ID,Email\n{rows}"


def found_by_id(api: httpx.Client, external_id: str) -> list[dict[str, Any]]:
    return api.get("/api/v1/contacts", params={"externalCustomerId": external_id}).json()


def test_a_file_is_imported_and_every_row_has_its_outcome(api: httpx.Client, name: str):
    content = f"External ID;E-mail;Ім'я\n{name};{name}@example.com;Аліса\n;bob@example.com;Боб\n"
    started = send(api, content, {"unique": "externalCustomerId"})
    body = started.json()
    assert body["state"] == "queued"
    assert (body["unique"], body["locked"]) == ("externalCustomerId", True)
    assert (body["encoding"], body["delimiter"]) == ("utf-8", ";")
    mapped = [(one["column"], one["heading"], one["field"]) for one in body["mapping"]]
    assert mapped == [
        ("A", "External ID", "externalCustomerId"),
        ("B", "E-mail", "email"),
        ("C", "Ім'я", "firstName"),
    ]
    one = finished(api, started)
    assert (one["state"], one["total"], one["done"], one["percent"]) == ("finished", 2, 2, 100)
    assert one["counts"] == {**dict.fromkeys(OUTCOMES, 0), "created": 1, "failed": 1}
    assert one["createdAt"] <= one["startedAt"] <= one["finishedAt"]
    rows = api.get(f"/api/v1/imports/{one['id']}/rows").json()
    assert [row["outcome"] for row in rows] == ["created", "failed"]
    assert rows[0]["value"] == name
    assert (rows[1]["code"], rows[1]["field"]) == ("no_externalCustomerId", "externalCustomerId")
    contact = found_by_id(api, name)[0]
    assert (contact["id"], contact["firstName"]) == (rows[0]["contactId"], "Аліса")


def test_the_session_of_a_file_has_a_status_as_a_bulk_call_has(api: httpx.Client, name: str):
    one = finished(api, send(api, people(name, 2)))
    status = api.get(f"/api/v1/importstatus/{one['sessionId']}").json()
    assert status["status"] == "FINISHED"
    assert [pair["dedupeValue"] for pair in status["mapping"]] == [f"{name}-0", f"{name}-1"]


def test_the_same_file_again_is_said_so_and_changes_nothing(api: httpx.Client, name: str):
    content = people(name, 5)
    first = finished(api, send(api, content, name="january.csv"))
    again = send(api, content, name="again.csv")
    assert again.json()["sameAs"] == {"id": first["id"], "finishedAt": first["finishedAt"]}
    assert finished(api, again)["counts"]["unchanged"] == 5
    assert "sameAs" not in send(api, content, {"restoreDeleted": True}).json()


def test_a_dry_run_has_the_same_statement_and_writes_nothing(api: httpx.Client, name: str):
    rehearsed = finished(api, send(api, people(name, 4), {"dryRun": True}))
    assert (rehearsed["dryRun"], rehearsed["counts"]["created"]) == (True, 4)
    assert found_by_id(api, f"{name}-0") == []
    real = send(api, people(name, 4))
    assert "sameAs" not in real.json()
    assert finished(api, real)["counts"]["created"] == 4


def test_a_file_waits_after_its_preview_for_a_dry_run_and_the_import(
    api: httpx.Client, server: Any, name: str
):
    before = files_of(server)
    shown = preview(api, people(name, 3)).json()
    ours = files_of(server) - before
    given = {"upload": shown["upload"]}
    assert preview_again(api, given, {"map": {"B": None}})["columns"][1]["field"] is None
    rehearsal = api.post("/api/v1/imports", json={**given, "options": {"dryRun": True}})
    assert finished(api, rehearsal)["counts"]["created"] == 3
    assert finished(api, api.post("/api/v1/imports", json=given))["counts"]["created"] == 3
    used = api.post("/api/v1/imports", json=given)
    assert (used.status_code, used.json()["status"]) == (404, 404)
    assert ours
    wait_until(lambda: ours.isdisjoint(files_of(server)))


def preview_again(api: httpx.Client, given: dict[str, Any], options: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/imports/preview", json={**given, "options": options})
    assert answer.json()["upload"] == given["upload"]
    body: dict[str, Any] = answer.json()
    return body


def wait_until(holds: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_preview_shows_what_is_red_and_what_is_orange(api: httpx.Client):
    content = (
        "E-mail,Phone,First name\n"
        "alice@example.com,+380671112233,Alice\n"
        "bob@example.com,12,Bob\n"
        "no address,+380671112244,Charlie\n"
    )
    shown = preview(api, content, {"unique": "email"}).json()
    assert (shown["format"], shown["encoding"], shown["delimiter"]) == ("csv", "utf-8", ",")
    assert [one["field"] for one in shown["columns"]] == ["email", "sms", "firstName"]
    assert [row["verdict"] for row in shown["rows"]] == ["ok", "warning", "error"]
    assert shown["counts"] == {"ok": 1, "warning": 1, "error": 1}
    orange, red = shown["rows"][1]["marks"], shown["rows"][2]["marks"]
    assert [(one["column"], one["level"]) for one in orange] == [(1, "warning")]
    assert [(one["column"], one["level"]) for one in red] == [(0, "error")]


def test_a_preview_of_unknown_columns_shows_them_and_says_what_is_missing(api: httpx.Client):
    shown = preview(api, "Farbe,Größe\nrot,XL\n")
    assert shown.status_code == 200
    body = shown.json()
    assert (body["problem"]["code"], body["problem"]["member"]) == ("invalid_options", "map")
    assert [(one["heading"], one["samples"]) for one in body["columns"]] == [
        ("Farbe", ["rot"]),
        ("Größe", ["XL"]),
    ]
    assert body["rows"] == []
    assert "email" in [one["name"] for one in body["fields"]]
    refused = api.post("/api/v1/imports", json={"upload": body["upload"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_options")


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        ("Email\nalice@example.com\n", {"unique": "shoe size"}, "invalid_options"),
        ("Email\nalice@example.com\n", {"map": {"Phone": "sms"}}, "invalid_options"),
        ("Email\nalice@example.com\n", {"dryRun": "perhaps"}, "invalid_options"),
        ("Email\nalice@example.com\n", ["email"], "invalid_options"),
        ("", {}, "file_empty"),
        (b"PK\x03\x04 no workbook", {}, "file_unreadable"),
    ],
    ids=["unique", "map", "flag", "no object", "empty", "no workbook"],
)
def test_a_file_that_cannot_be_imported_is_refused_and_not_kept(
    api: httpx.Client, server: Any, content: bytes | str, options: Any, code: str
):
    before = files_of(server)
    answer = send(api, content, options)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert files_of(server) <= before


def test_the_name_of_a_file_is_shown_and_leads_nowhere(api: httpx.Client, server: Any, name: str):
    sent = send(api, people(name, 1), name="../../../клієнти\u202e.csv")
    assert sent.json()["file"]["name"] == "клієнти.csv"
    assert not list(server.log.parent.rglob("*клієнти*"))


def test_neither_a_form_nor_a_token_is_a_bad_request(api: httpx.Client):
    for body in ({}, {"upload": 7}, {"upload": " "}, {"options": {}}):
        assert api.post("/api/v1/imports", json=body).status_code == 400
    assert api.post("/api/v1/imports", content=b"a,b").status_code == 400
    unknown = api.post("/api/v1/imports", json={"upload": "never-given"})
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/csv", b"email\na@example.com\n", 415),
        ("application/x-www-form-urlencoded", b"options=%7B%7D", 400),
        ("text/plain", b"", 400),
    ],
)
def test_a_file_that_is_sent_otherwise_is_told_how(
    api: httpx.Client, kind: str, body: bytes, status: int
):
    """D21; `curl --data-binary @customers.csv` is what people try first."""
    answer = api.post("/api/v1/imports", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert "multipart/form-data (parts file and options)" in answer.json()["message"]


def test_headings_without_rows_are_told(api: httpx.Client):
    answer = send(api, b"email;firstName\n").json()
    assert [one["code"] for one in answer["notices"]] == ["no_rows"]
    assert wait_for(api, answer["id"], OVER)["total"] == 0


def test_a_client_that_hangs_up_leaves_no_half_file(server: Any):
    before = files_of(server)  # files of imports that end meanwhile may go
    with connected(server, length=9_000_000) as connection:
        part = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        connection.sendall(part + b"x" * 2_000_000)
        wait_until(lambda: bool(files_of(server) - before))
    wait_until(lambda: files_of(server) <= before)


def test_a_file_that_says_it_is_too_large_is_refused_at_once(server: Any):
    with connected(server, length=400_000_000) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def connected(server: Any, *, length: int) -> socket.socket:
    """A connection on which the head of an upload of that length has been sent."""
    place = urlsplit(server.url)
    assert place.hostname is not None
    key = base64.b64encode(f":{server.key}".encode()).decode()
    connection = socket.create_connection((place.hostname, place.port or 80), timeout=60)
    connection.sendall(
        f"POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\n"
        f"Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return connection


@pytest.fixture(scope="module")
def number(api: httpx.Client) -> int:
    """An import of eight rows, three of which fail, one with a value like a formula."""
    good = "".join(f"S-{number},s{number}@example.com\n" for number in range(4))
    content = f"Contact key,E-mail\n{good}=1+1,\n,a@example.com\n,b@example.com\n,c@example.com\n"
    content = content.replace("=1+1,", "=1+1,formula@example.com")
    started = send(api, content, {"unique": "contactKey"})
    one = finished(api, started)
    assert (one["counts"]["created"], one["counts"]["failed"]) == (5, 3)
    return int(one["id"])


def test_a_statement_has_pages(api: httpx.Client, number: int):
    path = f"/api/v1/imports/{number}/rows"
    page = api.get(path, params={"startindex": 3, "maxrows": 2})
    assert [row["row"] for row in page.json()] == [3, 4]
    assert page.headers["totalcount"] == "8"
    failed = api.get(path, params={"outcome": "failed", "maxrows": 2})
    assert [row["row"] for row in failed.json()] == [6, 7]
    assert failed.headers["totalcount"] == "3"
    beyond = api.get(path, params={"startindex": 100})
    assert (beyond.json(), beyond.headers["totalcount"]) == ([], "8")
    none = api.get(path, params={"outcome": "merged"})
    assert (none.json(), none.headers["totalcount"]) == ([], "0")


@pytest.mark.parametrize("query", ["outcome=lost", "format=xml", "startindex=x", "maxrows=-1"])
def test_parameters_that_mean_nothing_are_refused(api: httpx.Client, number: int, query: str):
    assert api.get(f"/api/v1/imports/{number}/rows?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "headers", "is_csv"),
    [
        ("?format=csv", {}, True),
        ("", {"Accept": "text/csv"}, True),
        ("?format=json", {"Accept": "text/csv"}, False),
        ("", {}, False),
    ],
    ids=["format", "accept", "format before accept", "neither"],
)
def test_a_statement_is_downloaded_when_asked_for(
    api: httpx.Client, number: int, query: str, headers: dict[str, str], is_csv: bool
):
    answer = api.get(f"/api/v1/imports/{number}/rows{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/csv") is is_csv
    if is_csv:
        name = f'attachment; filename="import-{number}.csv"'
        assert answer.headers["content-disposition"] == name
        assert answer.content.startswith(b"\xef\xbb\xbfrow,outcome,")


def test_a_download_has_all_rows_and_no_formula(api: httpx.Client, number: int):
    answer = api.get(f"/api/v1/imports/{number}/rows?format=csv&maxrows=1")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 9)]
    assert rows[4]["value"] == "'=1+1"
    assert rows[5]["code"] == "no_contactKey"
    failed = api.get(f"/api/v1/imports/{number}/rows?format=csv&outcome=failed")
    assert failed.text.count("\r\n") == 4
    assert f"import-{number}-failed.csv" in failed.headers["content-disposition"]


def test_the_head_of_a_download_has_no_body(api: httpx.Client, number: int):
    answer = api.head(f"/api/v1/imports/{number}/rows?format=csv")
    assert (answer.status_code, answer.content) == (200, b"")
    assert api.get("/api/v1/version").status_code == 200


@pytest.mark.parametrize("path", ["", "/rows", "/rows?format=csv"])
def test_an_import_that_is_not_there_is_not_found(api: httpx.Client, path: str):
    for number in ("999999999", "99999999999999999999"):
        answer = api.get(f"/api/v1/imports/{number}{path}")
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("Import not found")
    assert api.get(f"/api/v1/imports/abc{path}").status_code == 400


def test_the_list_has_the_newest_first(api: httpx.Client, name: str):
    numbers = [send(api, people(f"{name}{letter}", 1)).json()["id"] for letter in "ab"]
    page = api.get("/api/v1/imports", params={"maxrows": 2})
    assert [one["id"] for one in page.json()] == numbers[::-1]
    assert int(page.headers["totalcount"]) >= 2
    second = api.get("/api/v1/imports", params={"maxrows": 1, "startindex": 2}).json()
    assert [one["id"] for one in second] == numbers[:1]


@contextmanager
def held(server: Any, contact_id: int) -> Iterator[None]:
    """Whoever wants to write this contact inside the block waits: an import stops there."""
    with psycopg.connect(running_url(server.log.parent / "data")) as connection:
        lock = "select from contact where contact_id = %s for update"
        assert connection.execute(lock, (contact_id,)).fetchone() is not None
        yield


def test_imports_are_paused_resumed_and_cancelled(api: httpx.Client, server: Any, name: str):
    """Files of an account go one after the other: the second one waits while the first one runs.

    The first one comes as far as row 3,500 at most, and resumed as far as row 7,500.
    """
    soon, later = (
        api.post("/api/v1/contact", json={"externalCustomerId": f"{name}-long-{row}"}).json()["id"]
        for row in (3_500, 7_500)
    )
    with held(server, soon):
        first = send(api, people(f"{name}-long", 10_000)).json()["id"]
        second = send(api, people(f"{name}-short", 3)).json()
        number = second["id"]
        assert change(api, number, "resume") == (200, "queued")
        assert change(api, number, "pause") == (200, "paused")
        status = api.get(f"/api/v1/importstatus/{second['sessionId']}").json()
        assert (status["status"], "paused" in status["description"]) == ("IMPORTING", True)
        twice = send(api, people(f"{name}-short", 3)).json()
        assert twice["sameAs"] == {"id": number}, "said before the first one is over"
        assert change(api, twice["id"], "cancel") == (200, "cancelled")
        wait_until(lambda: api.get(f"/api/v1/imports/{first}").json()["done"] > 0)
        one = api.get(f"/api/v1/imports/{first}").json()
        assert (one["state"], 0 < one["percent"] < 100) == ("running", True)
        assert change(api, first, "resume") == (200, "running"), "it goes on already"
        assert change(api, first, "pause") == (200, "paused")
        assert change(api, number, "resume") == (200, "queued")
    assert wait_for(api, number, OVER)["counts"]["created"] == 3
    with held(server, later):
        assert change(api, first, "resume")[0] == 200
        assert change(api, first, "cancel") == (200, "cancelled")
        assert change(api, first, "cancel") == (200, "cancelled")
        for word in ("pause", "resume"):
            assert change(api, first, word) == (409, "import_is_over")
        stopped = wait_for(api, first, ("cancelled",))
        status = api.get(f"/api/v1/importstatus/{stopped['sessionId']}").json()
        assert (status["status"], "cancelled" in status["description"]) == ("ERROR", True)
    stopped = api.get(f"/api/v1/imports/{first}").json()
    counts = stopped["counts"]
    assert 0 < stopped["done"] < 10_000
    assert counts["created"] + counts["updated"] == stopped["done"]
    assert len(found_by_id(api, f"{name}-long-0")) == 1


def change(api: httpx.Client, number: int, word: str) -> tuple[int, str]:
    """(status, state of the import or code of the error)."""
    answer = api.post(f"/api/v1/imports/{number}/{word}")
    return answer.status_code, answer.json().get("state") or answer.json()["code"]


def test_writers_import_and_see_statements_but_rehearse_nothing(server: Any, name: str):
    key = make_key(server, "--rights", "contacts_write")
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as writer:
        one = finished(writer, send(writer, people(name, 1)))
        assert writer.get(f"/api/v1/imports/{one['id']}/rows").status_code == 200
        before = files_of(server)
        assert send(writer, people(name, 1), {"dryRun": True}).status_code == 403
        assert files_of(server) <= before
