"""`kartoteka db`: the database in the operator's hands."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.conftest import COMMAND, clean_environment


@pytest.fixture
def db(empty_database_url, tmp_path):
    """Runs `kartoteka db …` on a migrated database."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            env=clean_environment() | {"KARTOTEKA_DATABASE_URL": empty_database_url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert run("migrate").returncode == 0
    run.url = empty_database_url
    return run


def rows(url: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute("select name from account order by name").fetchall()


def add_account(url: str, name: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into account (name, org_id, created_at) values (%s, %s, now())",
            [name, hash(name) % 1000],
        )


def test_migrate_says_what_it_did_and_the_second_time_that_there_was_nothing(db):
    assert db("migrate").stdout == "The database is up to date.\n"


def test_url_is_one_that_libpq_takes(db):
    assert rows(db("db", "url").stdout.strip()) == []


def test_psql_takes_its_own_options(db):
    assert db("db", "psql", "-Atc", "select 6 * 7").stdout == "42\n"
    assert db("db", "psql", "-v", "ON_ERROR_STOP=1", "-c", "select nothing").returncode != 0


def test_a_dump_is_private_and_restores_everything_it_held(db, tmp_path):
    add_account(db.url, "Alice")
    assert db("db", "dump", "backup").returncode == 0
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    add_account(db.url, "Bob")
    assert db("db", "restore", "--yes", "backup").returncode == 0
    assert rows(db.url) == [("Alice",)]
    assert db("migrate").stdout == "The database is up to date.\n"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_dump_that_is_cut_off_changes_nothing(db, tmp_path, share):
    assert db("db", "dump", "backup").returncode == 0
    whole = (tmp_path / "backup").read_bytes()
    add_account(db.url, "Alice")
    Path(tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    assert db("db", "restore", "--yes", "cut").returncode != 0
    assert rows(db.url) == [("Alice",)]


def test_restore_asks_before_it_replaces_everything(db, tmp_path):
    assert db("db", "dump", "backup").returncode == 0
    add_account(db.url, "Alice")
    assert db("db", "restore", "backup").returncode != 0
    assert rows(db.url) == [("Alice",)]
