"""Migrations are applied once, in order, whoever starts at the same time."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from kartoteka.activity.partitions import make_months
from kartoteka.db.database import Database
from kartoteka.db.migrate import Migration, migrate, packaged_migrations
from kartoteka.errors import DatabaseUnavailable, SettingsError
from tests.conftest import fresh_database

ONE = Migration("0001_one", "create table one (n int)")
TWO = Migration("0002_two", "create table two (n int); insert into two values (1)")
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def empty_url(postgres_url):
    with fresh_database(postgres_url, template="template0") as url:
        yield url


def test_the_files_of_this_version_are_numbered_without_a_hole():
    names = [migration.name for migration in packaged_migrations()]
    assert names[0].startswith("0001_")
    assert names == sorted(names)


async def test_each_is_applied_once_and_later_ones_later(empty_url):
    assert await migrate(empty_url, [ONE]) == ["0001_one"]
    assert await migrate(empty_url, [ONE, TWO]) == ["0002_two"]
    assert await migrate(empty_url, [ONE, TWO]) == []


async def test_servers_that_start_at_once_apply_everything_once(empty_url):
    applied = await asyncio.gather(*(migrate(empty_url, [ONE, TWO]) for _ in range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, 2]


async def test_one_that_fails_leaves_nothing_of_itself_and_all_before_it(empty_url):
    broken = Migration("0002_two", "create table two (n int); select 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(empty_url, [ONE, broken])
    assert await migrate(empty_url, [ONE, TWO]) == ["0002_two"]


async def test_one_that_was_edited_after_it_was_applied_stops_the_start(empty_url):
    await migrate(empty_url, [ONE])
    edited = Migration("0001_one", "create table one (n bigint)")
    with pytest.raises(SettingsError, match="0001_one"):
        await migrate(empty_url, [edited])


async def test_a_database_of_a_newer_version_stops_the_start(empty_url):
    await migrate(empty_url, [ONE, TWO])
    with pytest.raises(SettingsError, match="newer"):
        await migrate(empty_url, [ONE])


async def test_a_database_that_does_not_answer_is_unavailable_and_the_password_stays_unsaid(
    tmp_path,
):
    with pytest.raises(DatabaseUnavailable) as caught:
        await migrate(f"postgresql://me:hidden-word@/x?host={tmp_path}")
    assert "hidden-word" not in caught.value.message


@pytest.fixture
def postgres_15_url(tmp_path):
    """Debian's PostgreSQL 15 on a cluster of its own."""
    if not (DEBIAN_15 / "postgres").exists() or shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL 15 is not installed")
    folder = Path(f"/tmp/kartoteka-15-{tmp_path.stat().st_ino}")
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    who = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    make = [*who, DEBIAN_15 / "initdb", "-D", folder / "pg", "-U", "me", "-A", "trust", "-N"]
    subprocess.run(make, check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses= -c fsync=off -k {folder}"
    control = [*who, DEBIAN_15 / "pg_ctl", "-D", folder / "pg", "-w", "-l", folder / "log"]
    subprocess.run(
        [*control, "-o", options, "start"], check=True, cwd="/", stdout=subprocess.DEVNULL
    )
    yield f"postgresql://me@/postgres?host={folder}"
    subprocess.run(
        [*control, "-m", "immediate", "stop"], check=True, cwd="/", stdout=subprocess.DEVNULL
    )
    shutil.rmtree(folder)


_TOLD = """
    select a.attrelid::regclass::text, s.n_distinct
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
    left join pg_stats s on s.tablename = c.relname and s.attname = a.attname
    where a.attname = 'account_id' and c.relnamespace = 'public'::regnamespace"""


async def test_the_planner_is_told_that_an_account_may_hold_all_of_a_table(empty_url):
    """Months of events that are made later too; what it learnt of a table itself stays."""
    await migrate(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        assert {known for _, known in connection.execute(_TOLD)} == {1}
        connection.execute(
            "insert into segment (account_id, name, type, created_at)"
            " select n, 'one', 'Static', now() from generate_series(1, 4) n"
        )
        connection.execute("analyze segment")
        database = await Database.open(empty_url, max_size=1)
        await make_months(database, [(2026, 11)])
        await database.close()
        await migrate(empty_url)
        told = dict(connection.execute(_TOLD).fetchall())
    assert told.pop("segment") == -1
    assert told["event_2026_11"] == 1
    assert set(told.values()) == {1}


async def test_the_schema_works_on_postgresql_15(postgres_15_url):
    assert await migrate(postgres_15_url) == [one.name for one in packaged_migrations()]
