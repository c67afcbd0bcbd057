"""What /metrics says of imports, with nobody there to carry them out."""

from __future__ import annotations

import time
from typing import Any

import httpx
import psycopg
import pytest

RUNNING = """
    update import set state = 'running' where import_id = %(running)s;
    insert into import_batch (account_id, import_id, first_row, last_row, counts, at)
    select account_id, import_id, first, first + 9, array[4, 3, 2, 0, 0, 0, 1, 0], now()
    from import, unnest(array[1, 11]) as n (first) where import_id = %(running)s;
    update import set created_at = created_at - interval '90 seconds' where import_id = %(waiting)s
"""


@pytest.fixture
def idle(database_url: str, start_server: Any) -> Any:
    """A server that carries no imports out."""
    return start_server(
        KARTOTEKA_DATABASE_URL=database_url,
        KARTOTEKA_SECRET_KEY="a secret key of the tests of metrics",
        KARTOTEKA_JOBS="off",
    )


def metrics_of(client: httpx.Client) -> dict[str, float]:
    """The gauges of imports by their names with labels."""
    lines = client.get("/metrics").text.splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if line.startswith("kartoteka_import")]
    return {name: float(value) for name, value in pairs}


def test_what_waits_and_what_is_under_way_is_counted(idle: Any, database_url: str):
    contacts = {"dedupeOn": "externalCustomerId", "contacts": [{"externalCustomerId": "A"}]}
    with httpx.Client(base_url=idle.url, auth=("", idle.key), timeout=120) as client:
        nothing = metrics_of(client)
        assert not any(name.startswith("kartoteka_imports") for name in nothing)
        assert set(nothing.values()) == {0.0}
        since = time.monotonic()
        for _ in range(3):
            assert client.post("/api/v1/contacts", json=contacts).status_code == 200
        queued = 'kartoteka_imports{source="call",state="queued"}'
        assert metrics_of(client)[queued] == 3
        oldest, _, newest = (one["id"] for one in client.get("/api/v1/imports").json()[::-1])
        with psycopg.connect(database_url) as connection:
            for statement in RUNNING.split(";"):
                connection.execute(statement, {"running": newest, "waiting": oldest})
        found = metrics_of(client)
    passed = time.monotonic() - since
    assert found[queued] == 2
    assert found['kartoteka_imports{source="call",state="running"}'] == 1
    waited = found['kartoteka_imports_oldest_seconds{source="call",state="queued"}']
    assert 90 <= waited < 90 + passed + 1
    assert found['kartoteka_import_rows{outcome="created"}'] == 8
    assert found['kartoteka_import_rows{outcome="failed"}'] == 2


def test_strangers_learn_nothing_of_imports(idle: Any):
    assert "import" not in httpx.get(f"{idle.url}/metrics", timeout=120).text
