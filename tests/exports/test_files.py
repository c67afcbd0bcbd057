"""What is particular about files: months, formulas, links, a full disk."""

from __future__ import annotations

import csv
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from kartoteka.exports.targets.stores import Folder
from tests.rules.stories import add, erase


def folder_of(exporting, *parts: str):
    return exporting.surroundings.export_dir.joinpath(str(exporting.account_id), *parts)


async def test_only_months_with_changes_are_written(exporting):
    anna = await exporting.shop.id(add(x="X1", email="anna@example.com"))
    bob = await exporting.shop.id(add(x="X2", email="bob@example.com"))
    happened(exporting, anna, "2026-01-31T23:59:59.5Z")
    happened(exporting, bob, "2026-02-01T00:00:00Z")
    one = await exporting.create(
        datasets=("events",), target="files", settings={"folder": "lake", "format": "csv"}
    )
    await exporting.good_run(one)
    events = folder_of(exporting, "lake", "events")
    assert sorted(path.name for path in events.iterdir()) == ["2026-01.csv", "2026-02.csv"]
    january = (events / "2026-01.csv").stat().st_mtime_ns
    happened(exporting, anna, "2026-02-03T00:00:00Z")
    run = await exporting.good_run(one)
    assert run.rows == 2
    assert (events / "2026-01.csv").stat().st_mtime_ns == january
    assert len((events / "2026-02.csv").read_text().splitlines()) == 3
    await exporting.shop.send(erase(anna))
    await exporting.good_run(one)
    assert [path.name for path in events.iterdir()] == ["2026-02.csv"]
    assert len((events / "2026-02.csv").read_text().splitlines()) == 2


def happened(exporting, contact_id: int, when: str) -> None:
    with psycopg.connect(exporting.shop.url) as connection:
        connection.execute(
            "with written as (insert into event (account_id, owner_id, type_key, occurred, received) "
            "values (%s, %s, 'test', %s, %s) returning event_id, occurred) "
            "insert into change (account_id, at, event_ids, event_times) "
            "select %s, %s, array_agg(event_id), array_agg(occurred) from written",
            [
                *(exporting.account_id, contact_id, when, when),
                *(exporting.account_id, datetime.now(UTC)),
            ],
        )


async def test_no_cell_is_a_formula(exporting):
    names = ["=1+1", "+cmd", "-2", "@x", "plain = 1", 'quo"te,\nline']
    for name in names:
        await exporting.shop.id(add(x=name))
    one = await exporting.create(
        datasets=("contacts",), target="files", settings={"folder": "lake", "format": "csv"}
    )
    assert (await exporting.good_run(one)).rows == len(names)
    with (folder_of(exporting, "lake") / "contacts.csv").open(newline="") as file:
        _, *found = csv.reader(file)
    assert sorted(row[6] for row in found) == sorted(
        f"'{name}" if name[0] in "=+-@" else name for name in names
    )


async def test_no_link_is_followed(exporting, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = folder_of(exporting)
    root.mkdir(parents=True)
    (root / "lake").symlink_to(elsewhere)
    one = await exporting.create(
        datasets=("contacts",), target="files", settings={"folder": "lake", "format": "csv"}
    )
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_refused")
    assert list(elsewhere.iterdir()) == []


def test_a_file_that_finds_no_room_leaves_the_old_one(tmp_path):
    """The kernel's own refusal, as a full disk gives it: a limit on the size of files."""
    from kartoteka.exports.errors import TargetFull

    folder = Folder(tmp_path / "lake", ("a",))
    with folder.writing("x.csv") as file:
        file.write(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(TargetFull), folder.writing("x.csv") as file:
            file.write(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert folder.read("x.csv") == b"old"
    assert folder.sizes() == {"x.csv": 3}
    folder.close()


async def test_a_file_that_was_taken_away_comes_back(exporting):
    await exporting.shop.id(add(x="X1"))
    one = await exporting.create(
        datasets=("contacts",), target="files", settings={"folder": "lake", "format": "parquet"}
    )
    await exporting.good_run(one)
    path = folder_of(exporting, "lake") / "contacts.parquet"
    path.unlink()
    run = await exporting.good_run(one)
    assert run.datasets["contacts"].full
    assert path.exists()


@contextmanager
def asking_for_keys(store: str) -> Iterator[None]:
    """From now on it looks who signed a request, and knows nobody."""
    httpx.post(f"{store}/moto-api/reset-auth", content=b"0").raise_for_status()
    try:
        yield
    finally:
        httpx.post(f"{store}/moto-api/reset-auth", content=b"inf").raise_for_status()


async def test_what_a_store_refuses_is_said(exporting, s3):
    one = await exporting.create(
        datasets=("contacts",),
        target="files",
        settings={
            "url": "s3://no-such-bucket/x",
            "endpoint": s3,
            "accessKey": "key",
            "secretKey": "sesame",
        },
    )
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_failed")
    assert run.error == "There is no such bucket, while writing contacts.parquet."
    with asking_for_keys(s3):
        run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_denied")
    assert run.error == "The store does not accept the keys, while reading kartoteka.json."


async def test_a_store_that_does_not_answer_is_told(exporting):
    one = await exporting.create(
        datasets=("contacts",),
        target="files",
        settings={
            "url": "s3://shop/x",
            "endpoint": "http://127.0.0.1:1",
            "accessKey": "key",
            "secretKey": "sesame",
        },
    )
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_unreachable")
    assert run.error == "The store does not answer, while reading kartoteka.json."
