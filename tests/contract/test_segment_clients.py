"""Libraries of the Segment family that nobody here wrote, as they are published (clients 6).

`make test` installs them into `.venv/clients` from pinned lists; each runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from kartoteka.db.embedded import running_url
from tests.api.conftest import make_key

HERE = Path(__file__).parent / "clients"
INSTALLED = Path(__file__).parents[2] / ".venv" / "clients"
CLIENTS = ["python segment", "python segment gzip", "python rudder", "node segment", "node rudder"]
WAIT_S = 120


def run(client: str, base: str, key: str, word: str) -> list[str]:
    """The errors that the client reports."""
    language, which, *options = client.split()
    if language == "python":
        command = [INSTALLED / "python" / "bin" / "python", HERE / "python_client.py"]
    else:
        command = ["node", HERE / "node_client.mjs"]
    done = subprocess.run(
        [*command, which, base, key, word, *options],
        cwd=INSTALLED,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    errors: list[str] = json.loads(done.stdout.splitlines()[-1])
    return errors


@pytest.fixture(scope="module")
def database(server: Any) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    url = running_url(server.log.parent / "data")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def write_key(server: Any) -> str:
    return make_key(server, "--kind", "write")


Activity = Callable[[int], list[tuple[int, str, str, dict[str, Any]]]]


@pytest.fixture
def activity(database: psycopg.Connection[tuple[Any, ...]]) -> Activity:
    """(kind, type, key value, params) of all that is a contact's, by its time."""

    def read(contact_id: int) -> list[tuple[int, str, str, dict[str, Any]]]:
        return database.execute(
            "select kind, type_key, key_value, params from event where owner_id in"
            " (select owner_id from owners_of(1, array[%s]::bigint[])) order by occurred, event_id",
            [contact_id],
        ).fetchall()

    return read


@pytest.mark.parametrize("client", CLIENTS)
def test_all_that_a_library_says_is_on_one_card(
    server: Any, api: httpx.Client, write_key: str, activity: Activity, client: str
) -> None:
    """Guide G5 by a library: what the visitor did before it was known is the contact's."""
    word = client.replace(" ", "-")
    assert run(client, server.url, write_key, word) == []
    (found,) = api.get("/api/v1/contacts", params={"externalCustomerId": f"{word}-user"}).json()
    card = api.get(f"/api/v1/contact/{found['id']}").json()
    assert (card["firstName"], card["lastName"]) == ("Alice", "Archer")
    channels = {one["type"]: one["value"] for one in card["channels"]}
    assert (channels["email"], channels["sms"]) == (f"{word}@example.com", "380501112233")
    assert [field["value"] for field in card["fields"]] == ["1990-05-17"]
    done = activity(found["id"])
    first, *others = [(kind, name, key) for kind, name, key, _ in done]
    assert (first, done[0][3]["total"]) == ((0, "Order Completed", ""), 12.5)  # two days ago
    assert sorted(others) == [
        (0, "Product Viewed", ""),
        (0, "group", f"{word}-group"),
        (1, "PageView", "Shop Home"),
        (1, "screenView", "Cart"),
    ]
    identity = api.get(f"/api/v1/contact/{found['id']}/identity").json()["identifiers"]
    cookies = {one["value"] for one in identity if one["kind"] == "web_cookie"}
    assert cookies == {f"{word}-visitor", f"{word}-other-visitor"}


@pytest.mark.parametrize("client", ["python segment", "python rudder", "node segment"])
def test_a_wrong_key_is_an_error_that_the_library_tells(server: Any, client: str) -> None:
    """400s and 401s with `code` and `message` are final: rudder-python would send again without."""
    assert run(client, server.url, "kk_wrong", "nobody")


@pytest.mark.parametrize("client", ["python segment", "node segment"])
def test_a_browser_key_links_nobody_and_creates_nobody(
    server: Any, database: psycopg.Connection[tuple[Any, ...]], client: str
) -> None:
    """Decisions D36: the same words by a public key are claims, and nobody is known by them."""
    before = database.execute("select count(*) from contact").fetchone()
    key = make_key(server, "--kind", "browser")
    assert run(client, server.url, key, f"public-{client.replace(' ', '-')}") == []
    assert database.execute("select count(*) from contact").fetchone() == before
