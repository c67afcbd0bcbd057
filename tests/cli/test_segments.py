"""`kartoteka segments` and `kartoteka webhooks` on the running server's database."""

from __future__ import annotations

import json

import httpx
import psycopg

from kartoteka.db.embedded import running_url
from tests.cli.test_fields import kartoteka

EMPTY = '{"field": "externalCustomerId", "operator": "is_empty"}'


def test_segments_are_made_shown_explained_and_verified(server):
    with httpx.Client(base_url=server.url, auth=("", server.key), timeout=120) as api:
        body = {"channels": [{"type": "email", "value": "ann@x.example"}]}
        contact = api.post("/api/v1/contact", json=body).json()["id"]
    assert "No segments yet" in kartoteka(server, "segments", "list").stdout
    added = kartoteka(server, "segments", "add", "No External ID", EMPTY)
    assert added.returncode == 0, added.stderr
    assert added.stdout.endswith("is made: 1 contacts.\n")
    (listed,) = json.loads(kartoteka(server, "segments", "list", "--json").stdout)
    number = str(listed["id"])
    assert "External ID is empty" in kartoteka(server, "segments", "list").stdout
    assert EMPTY.replace(": ", ":").replace(", ", ",") in (
        kartoteka(server, "segments", "show", number).stdout
    )
    why = kartoteka(server, "segments", "why", number, str(contact)).stdout
    assert f"Contact {contact} is in segment {number}." in why
    assert "yes External ID is empty  (nothing)" in why
    counted = kartoteka(server, "segments", "count", EMPTY).stdout
    assert counted == "External ID is empty: 1 contacts.\n"
    proved = kartoteka(server, "segments", "verify")
    assert (proved.returncode, proved.stdout.splitlines()[-1]) == (0, "All are exact.")
    with psycopg.connect(running_url(server.log.parent / "data"), autocommit=True) as connection:
        connection.execute("delete from segment_match")
    broken = kartoteka(server, "segments", "verify", "--repair")
    assert broken.returncode == 1
    assert "1 of 1 are wrong." in broken.stdout
    assert kartoteka(server, "segments", "verify").returncode == 0
    deleted = kartoteka(server, "segments", "delete", number, "--contacts", "keep")
    assert deleted.returncode == 0, deleted.stderr


def test_webhooks_are_made_listed_switched_and_deleted(server):
    assert "No webhooks yet" in kartoteka(server, "webhooks", "list").stdout
    added = kartoteka(
        server, "webhooks", "add", "https://x.example/k", "--event", "segment.left", "--json"
    )
    made = json.loads(added.stdout)
    assert made["secret"].startswith("whsec_")
    number = str(made["id"])
    assert kartoteka(server, "webhooks", "switch", number, "--off").returncode == 0
    (listed,) = json.loads(kartoteka(server, "webhooks", "list", "--json").stdout)
    assert (listed["events"], listed["enabled"]) == (["segment.left"], False)
    assert "0 deliveries are tried again" in kartoteka(server, "webhooks", "replay", number).stdout
    assert kartoteka(server, "webhooks", "deliveries", number).returncode == 0
    assert kartoteka(server, "webhooks", "delete", number).returncode == 0


def test_mistakes_are_said_in_one_sentence(server):
    for arguments in (
        ("segments", "add", "S", "{"),
        ("segments", "add", "S", '{"field": "shoe", "operator": "is_set"}'),
        ("segments", "show", "99999"),
        ("segments", "delete", "99999", "--contacts", "keep"),
        ("webhooks", "add", "ftp://x.example"),
        ("webhooks", "delete", "99999"),
    ):
        done = kartoteka(server, *arguments)
        assert done.returncode == 1, arguments
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("Error: ")
