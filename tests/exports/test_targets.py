"""The same story for every target: filled, kept current, taken away; nothing doubled (decisions D33)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.exports.datasets import BY_NAME
from tests.exports.conftest import Exporting, picture, table
from tests.rules.stories import add, erase, remove

Look = Callable[[str], list[Any]]
PEOPLE = ("contacts", "devices", "identifiers", "identityHistory", "redirects", "segmentMembers")


def as_text(rows: list[list[Any]]) -> list[list[str]]:
    """Values of a target as PostgreSQL spells them."""
    return sorted([[_spelled(value) for value in row] for row in rows])


def _spelled(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if hasattr(value, "tzinfo"):
        text = value.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
        return f"{text}+00"
    return str(value)


@pytest.fixture(params=["postgres", "bigquery", "parquet", "csv", "s3"])
def place(request: Any, exporting: Exporting, tmp_path: Any) -> tuple[dict[str, Any], Look]:
    """A body that makes an export there, and what is there afterwards, by data set."""
    if request.param == "postgres":
        warehouse = request.getfixturevalue("warehouse")
        settings = {"url": warehouse.url, "schema": "public"}
        return {"target": "postgres", "settings": settings}, lambda name: table(warehouse, name)
    if request.param == "bigquery":
        return _bigquery(request.getfixturevalue("emulator"), tmp_path.name)
    if request.param == "s3":
        return _bucket(request.getfixturevalue("s3"), tmp_path.name)
    return _folder(exporting, request.param)


def _bigquery(endpoint: str, name: str) -> tuple[dict[str, Any], Look]:
    dataset = "".join(char if char.isalnum() else "_" for char in name)
    settings = {"project": "test-shop", "dataset": dataset, "endpoint": endpoint, "location": "EU"}
    return {"target": "bigquery", "settings": settings}, bigquery_look(endpoint, dataset)


def bigquery_look(endpoint: str, dataset: str) -> Look:
    """What is in a table of the emulator, spelled as PostgreSQL does it."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    def look(name: str) -> list[Any]:
        client = bigquery.Client(
            project="test-shop",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": endpoint},
        )
        rows = client.query_and_wait(f"select * from `test-shop.{dataset}.{name}`")
        return as_text([list(row.values()) for row in rows])

    return look


def _bucket(endpoint: str, name: str) -> tuple[dict[str, Any], Look]:
    import pyarrow.parquet
    from pyarrow import fs

    store = fs.S3FileSystem(
        access_key="key",
        secret_key="secret",
        region="us-east-1",
        endpoint_override=endpoint.removeprefix("http://"),
        scheme="http",
        allow_bucket_creation=True,
    )
    store.create_dir("shop-exports")
    prefix = "".join(char if char.isalnum() else "-" for char in name)
    settings = {
        "url": f"s3://shop-exports/{prefix}",
        "endpoint": endpoint,
        "accessKey": "key",
        "secretKey": "secret",
    }

    def look(name: str) -> list[Any]:
        path = f"shop-exports/{prefix}/{name}.parquet"
        rows = pyarrow.parquet.read_table(path, filesystem=store).to_pylist()
        return as_text([list(row.values()) for row in rows])

    return {"target": "files", "settings": settings}, look


def _folder(exporting: Exporting, form: str) -> tuple[dict[str, Any], Look]:
    import pyarrow.parquet

    folder = exporting.surroundings.export_dir / str(exporting.account_id) / "daily" / "shop"
    settings = {"format": form, "folder": "daily/shop"}

    def look(name: str) -> list[Any]:
        path = folder / f"{name}.{form}"
        if form == "csv":
            heading, *rows = csv.reader(io.StringIO(path.read_text("utf-8")))
            assert heading == [one.name for one in BY_NAME[name].columns_of(1, keep_removed=False)]
            return sorted([[value or "\\N" for value in row] for row in rows])
        rows = pyarrow.parquet.read_table(path).to_pylist()
        return as_text([list(row.values()) for row in rows])

    return {"target": "files", "settings": settings}, look


async def test_what_happens_to_people_arrives(exporting, place):
    """Created, changed, removed, restored, merged, erased: after each run the target is the source."""
    body, look = place
    shop = exporting.shop
    one = await exporting.create(datasets=PEOPLE, **body)

    async def same() -> None:
        run = await exporting.good_run(one)
        for name in PEOPLE:
            assert look(name) == picture(exporting, name), (name, run)

    await same()
    anna = await shop.id(add(x="X1", email="anna@example.com", first="Анна"))
    token = await shop.id(add(token="T" * 20))
    bob = await shop.id(add(x="X2", email="bob@example.com", phone="380501234567"))
    await same()
    assert len(look("contacts")) == 3
    await shop.send(add(x="X1", token="T" * 20))  # absorbs the anonymous card
    await same()
    assert look("redirects") == [[str(token), str(anna)]]
    await shop.send(remove(bob))
    await same()
    assert len(look("contacts")) == 1
    await shop.send(add(x="X2", email="bob@example.com"))
    await same()
    assert len(look("contacts")) == 2
    await shop.send(erase(anna))
    await same()
    assert [row[0] for row in look("contacts")] == [str(bob)]
    assert look("redirects") == []
    again = await exporting.good_run(one)
    assert again.rows == 0
