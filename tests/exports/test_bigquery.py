"""What is particular about BigQuery: partitions, harmed tables, limits, answers that are lost.

Google's own client against an emulator with a real query engine; where Google's moods are needed, they
come from a front before it. What neither can show is said in docs/exports/bigquery.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from kartoteka.exports.targets import bigquery_service
from kartoteka.exports.targets.bigquery_service import pauses
from tests.exports.bigquery_front import Answer, Asked, Cut, Front, refusal, standing
from tests.exports.conftest import Exporting, picture
from tests.exports.test_activity import insert_event
from tests.exports.test_targets import as_text
from tests.rules.stories import add, erase

DATASETS = ("contacts", "events")


class Place:
    """One dataset of the emulator, an export that fills it, and an analyst who looks at it."""

    def __init__(self, exporting: Exporting, emulator: str, name: str) -> None:
        self.exporting = exporting
        self.name = "".join(char if char.isalnum() else "_" for char in name)
        self.settings = {"project": "test-shop", "dataset": self.name, "endpoint": emulator}
        self.client = bigquery.Client(
            project="test-shop",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": emulator},
        )
        self.one: Any = None

    def table(self, name: str) -> Any:
        return self.client.get_table(f"test-shop.{self.name}.{name}")

    async def fill(self, **settings: Any) -> None:
        """Anna with an event, exported once."""
        self.anna = await self.exporting.shop.id(add(x="X1", email="anna@example.com"))
        insert_event(self.exporting, self.anna, {"n": 1})
        self.one = await self.exporting.create(
            datasets=DATASETS, target="bigquery", settings={**self.settings, **settings}
        )
        await self.same()

    async def same(self) -> Any:
        """A run, after which it holds what Kartoteka does, each row once."""
        run = await self.exporting.good_run(self.one)
        for name in DATASETS:
            assert self.look(name) == picture(self.exporting, name), (name, run)
        return run

    def look(self, name: str) -> list[list[str]]:
        rows = self.client.query_and_wait(f"select * from `test-shop.{self.name}.{name}`")
        return as_text([list(row.values()) for row in rows])

    async def change(self, first: str = "Anna") -> None:
        """Something for both data sets."""
        await self.exporting.shop.send(add(x="X1", first=first))
        insert_event(self.exporting, self.anna, {"n": 2})

    async def failed(self) -> Any:
        run = await self.exporting.run(self.one)
        assert run.state == "failed"
        return run

    def tables(self) -> list[str]:
        return sorted(one.table_id for one in self.client.list_tables(f"test-shop.{self.name}"))


@pytest.fixture
def place(exporting: Exporting, emulator: str, request: pytest.FixtureRequest) -> Iterator[Place]:
    opened = Place(exporting, emulator, request.node.name)
    yield opened
    opened.client.close()


@pytest.fixture
def front(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """With pauses that nobody has to wait for."""
    monkeypatch.setattr(bigquery_service, "FIRST_PAUSE_S", 0.01)
    with standing(emulator) as opened:
        yield opened


async def test_tables_are_made_as_the_docs_say(place):
    await place.fill(location="EU")
    assert place.client.get_dataset(f"test-shop.{place.name}").location == "EU"
    events = place.table("events")
    assert (events.time_partitioning.type_, events.time_partitioning.field) == ("DAY", "occured")
    assert events.clustering_fields == ["eventId"]
    assert events.labels["kartoteka_export"] == place.one.uid
    assert place.table("contacts").clustering_fields == ["contactId"]
    assert [field.field_type for field in place.table("contacts").schema][:3] == [
        *("INT64", "STRING", "TIMESTAMP")
    ]
    await place.change()
    run = await place.same()
    assert {name: done.full for name, done in run.datasets.items()} == {
        "contacts": False,
        "events": False,
    }
    assert place.tables() == ["contacts", "events"]  # no staging table stays


async def test_a_dataset_that_lies_elsewhere_is_told(place):
    made = bigquery.Dataset(f"test-shop.{place.name}")
    made.location = "US"
    place.client.create_dataset(made)
    place.one = await place.exporting.create(
        datasets=DATASETS, target="bigquery", settings={**place.settings, "location": "EU"}
    )
    run = await place.failed()
    assert run.code == "export_target_refused"
    assert f"Dataset test-shop.{place.name} lies in US, not in EU" in run.error


async def test_what_is_deleted_goes_though_it_is_of_another_day(place):
    """MERGE reads only the days of what changed, and a deleted event has a day too."""
    await place.fill()
    shop = place.exporting.shop
    ((event_id, occurred),) = shop.rows("select event_id, occurred from event")
    with psycopg.connect(shop.url) as connection:
        connection.execute("update event set occurred = occurred - interval '40 days'")
    await place.exporting.good_run(place.one, full=True)
    with psycopg.connect(shop.url) as connection:  # as whoever deletes one does it
        connection.execute("delete from event")
        connection.execute(
            "insert into change (account_id, at, event_ids, event_times) "
            "values (%s, now(), %s, array[%s::timestamptz - interval '40 days'])",
            [place.exporting.account_id, [event_id], occurred],
        )
    insert_event(place.exporting, place.anna, {"n": 2})
    await place.same()
    assert len(place.look("events")) == 1
    await shop.send(erase(place.anna))
    await place.same()
    assert place.look("events") == place.look("contacts") == []


def _drop_table(place: Place) -> None:
    place.client.delete_table(f"test-shop.{place.name}.contacts")


def _drop_dataset(place: Place) -> None:
    place.client.delete_dataset(f"test-shop.{place.name}", delete_contents=True)


def _drop_column(place: Place) -> None:
    """As the service shows it after `alter table … drop column`, which the emulator half does."""
    old = place.table("contacts")
    place.client.delete_table(old)
    new = bigquery.Table(old.reference, schema=[one for one in old.schema if one.name != "email"])
    new.labels = old.labels
    place.client.create_table(new)


def _add_column(place: Place) -> None:
    old = place.table("contacts")
    place.client.delete_table(old)
    note = bigquery.SchemaField("note", "STRING")
    new = bigquery.Table(old.reference, schema=[*old.schema, note])
    new.labels = {"kartoteka_export": place.one.uid}
    place.client.create_table(new)


@pytest.mark.parametrize("harm", [_drop_table, _drop_dataset, _drop_column])
async def test_what_was_harmed_is_made_anew_by_the_next_run(place, harm):
    await place.fill()
    harm(place)
    await place.change()
    run = await place.same()
    assert run.datasets["contacts"].full
    assert place.table("events").time_partitioning.field == "occured"
    await place.change("Olha")
    run = await place.same()
    assert not any(done.full for done in run.datasets.values())


def _other_type(place: Place) -> None:
    old = place.table("contacts")
    place.client.delete_table(old)
    fields = [
        bigquery.SchemaField(one.name, "INT64" if one.name == "email" else one.field_type)
        for one in old.schema
    ]
    new = bigquery.Table(old.reference, schema=fields)
    new.labels = old.labels
    place.client.create_table(new)


def _no_labels(place: Place) -> None:
    table = bigquery.Table(f"test-shop.{place.name}.contacts")
    table.labels = {"team": "crm"}  # the emulator puts it in the place of the others
    place.client.update_table(table, ["labels"])


def _somebodys(place: Place) -> None:
    place.client.query_and_wait(
        f"create or replace table `test-shop.{place.name}.contacts` as select 'mine' as precious"
    )


def _view(place: Place) -> None:
    place.client.delete_table(f"test-shop.{place.name}.contacts")
    view = bigquery.Table(f"test-shop.{place.name}.contacts")
    view.view_query = "select 1 as x"
    place.client.create_table(view)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_other_type, "Column email of table test-shop.{0}.contacts is INT64 now, not STRING"),
        (_no_labels, "There is a table test-shop.{0}.contacts that no export keeps"),
        (_somebodys, "There is a table test-shop.{0}.contacts that no export keeps"),
        (_view, "test-shop.{0}.contacts is not a table"),
    ],
)
async def test_what_is_not_for_us_to_repair_is_said(place, harm, words):
    await place.fill()
    harm(place)
    await place.change()
    run = await place.failed()
    assert run.code == "export_target_changed"
    assert words.format(place.name) in run.error
    assert "anna" not in run.error.lower()
    if harm is _somebodys:
        assert place.look("contacts") == [["mine"]]
    place.client.delete_table(f"test-shop.{place.name}.contacts")
    await place.same()


def _refuse(status: int, reason: str, when: Callable[[Asked], bool]) -> Any:
    return lambda _, asked: refusal(status, reason) if when(asked) else None


def _lose_the_answer(when: Callable[[Asked], bool]) -> Any:
    """It is done, and nobody is told."""

    def rule(front: Front, asked: Asked) -> Answer | None:
        if when(asked):
            front.forward(asked)
            front.rules.remove(rule)
            raise Cut
        return None

    return rule


@pytest.mark.parametrize(
    "mood",
    [
        lambda when: _refuse(403, "rateLimitExceeded", when),
        lambda when: _refuse(503, "backendError", when),
        _lose_the_answer,
    ],
    ids=["rate", "busy", "lost"],
)
async def test_what_passes_is_asked_again_and_done_once(place, front, mood):
    """Loads, statements and labels, while there was no table and after."""
    place.settings["endpoint"] = front.url

    def moody() -> None:
        front.begun.clear()
        front.rules += [
            mood(lambda asked: asked.is_load),
            mood(lambda asked: asked.is_merge),
            mood(lambda asked: asked.method == "PATCH"),
            mood(lambda asked: asked.method == "GET" and "/tables/" in asked.path),
        ]

    moody()
    await place.fill()
    assert len(front.begun) == 2  # one load for each data set
    front.rules.clear()
    moody()
    await place.change()
    run = await place.same()
    assert front.rules == []
    assert len(front.begun) == 6  # for each: rows, ids, MERGE
    assert [done.rows for done in run.datasets.values()] == [1, 1]


async def test_a_quota_that_is_used_up_is_told_and_nothing_is_lost(place, front, monkeypatch):
    place.settings["endpoint"] = front.url
    await place.fill()
    await place.change()
    front.rules.append(_refuse(403, "quotaExceeded", lambda asked: asked.is_merge))
    run = await place.failed()
    assert (run.code, front.rules) == ("export_target_full", [])  # not asked again in this run
    assert "A quota of BigQuery is used up" in run.error
    assert not (await place.same()).datasets["contacts"].full
    front.always.append(_refuse(403, "rateLimitExceeded", lambda asked: asked.method == "PATCH"))
    await place.change("Olha")
    monkeypatch.setattr(bigquery_service, "PATIENCE_S", 0.1)
    assert (await place.failed()).code == "export_target_full"
    front.always.clear()
    await place.same()


async def test_rights_and_keys_have_sentences(place, front):
    place.settings["endpoint"] = front.url
    await place.fill()
    for status, reason, code, words in (
        (403, "accessDenied", "export_target_denied", "BigQuery Data Editor and BigQuery Job User"),
        (403, "billingNotEnabled", "export_target_refused", "Billing is not enabled"),
        (401, "authError", "export_target_denied", "does not accept the service account's key"),
    ):
        await place.change(reason)
        front.rules.append(_refuse(status, reason, lambda asked: asked.is_merge))
        run = await place.failed()
        assert run.code == code
        assert words in run.error
    await place.same()


async def test_who_may_only_write_into_a_dataset_does_not_ask_for_one(place, front):
    place.client.create_dataset(f"test-shop.{place.name}")
    place.settings["endpoint"] = front.url
    front.always.append(
        _refuse(
            403, "accessDenied", lambda asked: asked.path.partition("?")[0].endswith("/datasets")
        )
    )
    await place.fill()


async def test_a_staging_table_that_goes_away_costs_a_run(place, front):
    place.settings["endpoint"] = front.url
    await place.fill()
    await place.change()

    def rule(_: Front, asked: Asked) -> Answer | None:
        if asked.is_merge:
            for name in place.tables():
                if name.startswith("_kartoteka"):
                    place.client.delete_table(f"test-shop.{place.name}.{name}")
        return None

    front.always.append(rule)
    run = await place.failed()
    assert run.code == "export_target_changed"
    assert "went away" in run.error
    front.always.clear()
    await place.same()


async def test_a_pause_ends_a_job_and_the_next_run_lets_nothing_of_it_write(place, front):
    """What a run left behind in BigQuery is ended before anybody else writes the table."""
    place.settings["endpoint"] = front.url
    await place.fill()
    await place.change()
    front.always.append(_never_done)
    running = asyncio.create_task(place.exporting.run(place.one))
    async with asyncio.timeout(60):
        while not any(one.endswith("merge_1") for one in front.begun):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await place.exporting.exports.pause(place.exporting.account_id, place.one.export_id)
    assert (await running).state == "cancelled"
    left = next(one for one in front.begun if one.endswith("merge_1"))
    assert front.cancelled == [left]
    assert place.table("contacts").labels["kartoteka_job"] == left
    run = asyncio.create_task(place.exporting.good_run(place.one))
    try:
        async with asyncio.timeout(60):
            while len(front.cancelled) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert not run.done()  # it waits for that job
    finally:
        front.always.clear()
        await run
    await place.same()


def _never_done(front: Front, asked: Asked) -> Answer | None:
    """A MERGE goes on and on."""
    if not asked.is_merge and "merge_1" not in asked.path:
        return None
    answer = front.forward(asked)
    body = answer.body.replace(b'"state":"DONE"', b'"state":"RUNNING"')
    return Answer(answer.status, answer.headers, body)


async def test_who_does_not_answer_is_told(place, monkeypatch):
    monkeypatch.setattr(bigquery_service, "FIRST_PAUSE_S", 0.01)
    place.settings["endpoint"] = "http://127.0.0.1:1"
    place.one = await place.exporting.create(
        datasets=DATASETS, target="bigquery", settings=place.settings
    )
    run = await place.failed()
    assert run.code == "export_target_unreachable"
    assert "BigQuery does not answer, while looking at the tables" in run.error


def test_pauses_grow_and_end():
    assert list(pauses(180)) == [1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert list(pauses(5)) == [1, 2]
