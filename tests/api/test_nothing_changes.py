"""What is refused leaves no trace in any table (decisions D21: never half of a write)."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from kartoteka.db.embedded import running_url

REFUSED = [
    ("POST", "/contact", b""),
    ("POST", "/contact", b"[]"),
    ("POST", "/contact", b'{"channels":[{"type":"email","value":"cut@example.com"}'),
    ("POST", "/contact", b'{"channels":[],"externalCustomerId":{"a":1}}'),
    ("POST", "/contact", b'{"channels":[],"externalCustomerId":"a\\u0000b"}'),
    ("POST", "/contact", b'{"channels":[],"externalCustomerId":"' + b"x" * 256 + b'"}'),
    ("POST", "/contact", b'{"channels":[{"type":"email","value":"no address"}]}'),
    ("POST", "/contact", b'{"channels":[],"firstName":"\xff\xfe"}'),
    ("POST", "/contact?dryRun=perhaps", b'{"channels":[],"externalCustomerId":"D"}'),
    ("PUT", "/contact/1", b'{"externalCustomerId":true}'),
    ("PUT", "/contact/1?clear=everything", b"{}"),
    ("PUT", "/contact/999999999", b'{"firstName":"Ann"}'),
    ("DELETE", "/contact/999999999", b""),
    ("DELETE", "/contact?externalCustomerId=nobody", b""),
    ("POST", "/contact/subscribe", b'{"groups":["A list"]}'),
    ("POST", "/apps/a/tokens", b'{"tokens":[{"token":"t","email":"a@example.com"},{"token":""}]}'),
    ("PUT", "/contact/999999999/subscriptions", b'{"subscriptions":["news"]}'),
    ("PATCH", "/account/settings", b'{"absorb":"always","currency":"EUR"}'),
    ("POST", "/additionalfields", b'{"key":"K","type":"NOTHING"}'),
]


def everything(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Every row of every table that a request may write, as text."""
    tables = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'public'"
        " and table_type = 'BASE TABLE' and table_name not like 'procrastinate%'"
        " and table_name not in ('api_key')"  # when it was last used is allowed to change
    ).fetchall()
    return {
        table: sorted(row[0] for row in connection.execute(f'select t::text from "{table}" t'))
        for (table,) in tables
    }


@pytest.mark.parametrize(("method", "path", "body"), REFUSED)
def test_a_refused_request_changes_nothing(server, api: httpx.Client, method, path, body):
    api.post("/api/v1/contact", json={"channels": [], "externalCustomerId": "first"})
    with psycopg.connect(running_url(server.log.parent / "data"), autocommit=True) as connection:
        before = everything(connection)
        assert before["contact"]
        answer = api.request(method, "/api/v1" + path, content=body)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["status"] == answer.status_code
        assert everything(connection) == before
