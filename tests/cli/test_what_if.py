"""`kartoteka identity what-if` on a real database: whom other settings would have joined or split."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import COMMAND, clean_environment, fresh_database
from tests.faults.conftest import Shop, open_shop
from tests.faults.servers import SECRET
from tests.rules.stories import add, attach, subscribe


@pytest.fixture(scope="module")
def lived(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A database in which people lived; the ids of those whose card hangs on a setting."""
    with fresh_database(postgres_url) as url:

        async def live() -> dict[str, int]:
            async with open_shop(url) as shop:
                return await _live(shop)

        ids = asyncio.run(live())
        yield url, ids, tmp_path_factory.mktemp("what-if")


async def _live(shop: Shop) -> dict[str, int]:
    his = await shop.id(add(email="ivan@x.ua", phone="380501112233", first="Ivan"))
    hers = await shop.id(add(x="H", email="hanna@x.ua", phone="380501112233", first="Hanna"))
    app = await shop.id(add(token="T"))
    news = await shop.id(subscribe(email="ann@x.ua", groups=("News",)))
    known = await shop.send(add(x="A", email="ann@x.ua", token="T", first="Ann"))
    assert known.resolution.absorbed == [app]
    [(news_id,)] = shop.rows("select segment_id from segment")
    await shop.send(attach(news_id, his))
    await shop.send(attach(news_id, hers))
    shop.rows(
        "with made as (insert into segment (account_id, name, type, created_at, version_id)"
        " select account_id, 'All', 'Dynamic', now(), 7 from account returning account_id)"
        " insert into segment_match select account_id, 7, unnest(%(ids)s::bigint[]), now()"
        " from made returning 1",
        ids=[his, news],
    )
    return {"his": his, "hers": hers, "app": app, "news": news}


def what_if(lived: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    url, _, folder = lived
    return subprocess.run(
        [COMMAND, "identity", "what-if", "--account", "shop", *arguments],
        env=clean_environment() | {"KARTOTEKA_DATABASE_URL": url, "KARTOTEKA_SECRET_KEY": SECRET},
        cwd=Path(folder),
        capture_output=True,
        text=True,
        check=False,
    )


def everything(url: str) -> list[Any]:
    """All rows of all tables."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select format('%I', table_name) from information_schema.tables"
            " where table_schema = 'public' and table_type = 'BASE TABLE' order by 1"
        ).fetchall()
        return [
            connection.execute(f"select t::text from {table} t order by 1").fetchall()  # type: ignore[call-overload]
            for (table,) in tables
        ]


def test_it_names_who_would_be_one_and_who_would_be_several(lived: Any) -> None:
    url, ids, _ = lived
    before = everything(url)
    ran = what_if(lived, "phone_is_personal=on", "absorb=never", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    [merge], [split] = told["merges"], told["splits"]
    assert (merge["contacts"], merge["rule"]) == (
        [ids["his"], ids["hers"]],
        "external_id_joins_phone",
    )
    assert (split["contactId"], split["rule"]) == (ids["news"], "absorbed_anonymous")
    assert [sorted(held["kind"] for held in part) for part in split["parts"]] == [
        ["email", "external_id", "mobile_token"],
        [],
    ]
    assert [
        (one["name"], one["joins"], one["fewer"], one["split"]) for one in told["segments"]
    ] == [("News", 0, 1, 1), ("All", 0, 0, 1)]
    assert told["retoldDifferently"] == 0
    assert everything(url) == before


def test_in_words(lived: Any) -> None:
    ran = what_if(lived, "absorb=never")
    assert ran.returncode == 0, ran.stderr
    assert "1 would be several:" in ran.stdout
    assert "nothing was changed" in ran.stdout
    assert "ann@x.ua" not in ran.stdout
    assert "The contacts would be the same." in what_if(lived, "absorb=contained").stdout
    assert "for the last 2 days" in what_if(lived, "absorb=never", "--days", "2").stdout


def test_a_setting_that_decides_nothing_is_refused(lived: Any) -> None:
    for wrong in ("currency=EUR", "absorb=sometimes", "absorbs=never"):
        ran = what_if(lived, wrong)
        assert ran.returncode != 0
        assert "Traceback" not in ran.stderr
    assert "decides nothing about whose card" in what_if(lived, "currency=EUR").stderr
