"""What is particular about BigQuery: partitions, labels, staging, what was harmed (issue: part 5)."""

from __future__ import annotations

import pytest

from tests.exports.conftest import picture
from tests.exports.test_activity import insert_event
from tests.exports.test_targets import bigquery_look
from tests.rules.stories import add


@pytest.fixture
def client(emulator):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    return bigquery.Client(
        project="test-shop",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": emulator},
    )


async def test_what_was_harmed_is_repaired_or_told(exporting, emulator, client):
    settings = {"project": "test-shop", "dataset": "harmed", "endpoint": emulator, "location": "EU"}
    anna = await exporting.shop.id(add(x="X1", email="anna@example.com"))
    insert_event(exporting, anna, {"n": 1})
    one = await exporting.create(
        datasets=("contacts", "events"), target="bigquery", settings=settings
    )
    look = bigquery_look(emulator, "harmed")

    async def same() -> None:
        run = await exporting.good_run(one)
        for name in ("contacts", "events"):
            assert look(name) == picture(exporting, name), (name, run)

    await same()
    assert client.get_dataset("test-shop.harmed").location == "EU"
    events = client.get_table("test-shop.harmed.events")
    assert events.time_partitioning.field == "occured"
    assert events.labels["kartoteka_export"] == one.uid

    client.delete_table("test-shop.harmed.contacts")
    insert_event(exporting, anna, {"n": 2})
    await same()
    await exporting.shop.send(add(x="X1", first="Anna"))
    await same()
    names = [table.table_id for table in client.list_tables("test-shop.harmed")]
    assert sorted(names) == ["contacts", "events"]  # staging tables are gone

    table = client.get_table("test-shop.harmed.events")
    table.labels = {"kartoteka_export": None, "kartoteka_mark": None}
    client.update_table(table, ["labels"])
    insert_event(exporting, anna, {"n": 3})
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_changed")
    assert "test-shop.harmed.events that no export keeps" in run.error


async def test_who_does_not_answer_is_told(exporting):
    settings = {"project": "test-shop", "dataset": "x", "endpoint": "http://127.0.0.1:1"}
    from kartoteka.exports.targets import bigquery

    checked = bigquery.KIND.read(settings, exporting.exports.surroundings(1))
    assert checked.shown["endpoint"] == "http://127.0.0.1:1"
