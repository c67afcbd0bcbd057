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

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            env=clean_environment() | {"KARTOTEKA_DATABASE_URL": empty_database_url} | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
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
            [name, sum(name.encode())],
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


def test_a_dump_that_fails_leaves_the_older_one(db, tmp_path):
    """The database is away: yesterday's backup is worth more than none."""
    assert db("db", "dump", "backup").returncode == 0
    whole = (tmp_path / "backup").read_bytes()
    failed = db("db", "dump", "backup", KARTOTEKA_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert failed.returncode != 0
    assert (tmp_path / "backup").read_bytes() == whole
    assert [one.name for one in tmp_path.glob("backup*")] == ["backup"]


def test_a_dump_goes_to_a_pipe_too_and_says_where_it_cannot(db, tmp_path):
    assert db("db", "dump", "/dev/null").returncode == 0
    failed = db("db", "dump", "no-such-folder/backup")
    assert failed.returncode == 1
    assert "no-such-folder/backup" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_dump_that_is_cut_off_changes_nothing(db, tmp_path, share):
    assert db("db", "dump", "backup").returncode == 0
    whole = (tmp_path / "backup").read_bytes()
    add_account(db.url, "Alice")
    Path(tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    assert db("db", "restore", "--yes", "cut").returncode != 0
    assert rows(db.url) == [("Alice",)]


def test_who_read_up_to_a_transaction_of_another_cluster_goes_on(db, tmp_path):
    """Ids of transactions begin anew there: exports read all again, webhooks leave nothing out."""
    add_account(db.url, "Alice")
    with psycopg.connect(db.url) as connection:
        connection.execute(
            """
            insert into change (account_id, xid, at) select account_id, '4000000000', now() from account;
            insert into change_dropped select account_id, '4000000000' from account;
            insert into happening (account_id, happening_id, xid, at, kind, contact_id)
            overriding system value
            select account_id, n, x::text::xid8, now(), 1, n
            from account, unnest(array[1, 2, 3], array[3999999999, 4000000001, 4000000000]) as h (n, x);
            insert into webhook (account_id, url, secret, events, created_at, read_xid, read_id)
            select account_id, 'https://x.example', '', '{}', now(), '4000000000', 3 from account;
            """
        )
    assert db("db", "dump", "backup").returncode == 0
    assert db("db", "restore", "--yes", "backup").returncode == 0
    with psycopg.connect(db.url) as connection:
        now = "pg_snapshot_xmax(pg_current_snapshot())"
        assert connection.execute("select count(*) from change").fetchone() == (0,)
        dropped = connection.execute(
            f"select count(*), bool_and(below <= {now}) from change_dropped"
        )
        assert dropped.fetchone() == (1, True)
        unread = connection.execute(
            "select array_agg(happening_id order by happening_id) from happening h join webhook w "
            "using (account_id) where (h.xid, happening_id) > (read_xid, read_id) "
            "and h.xid < pg_snapshot_xmin(pg_current_snapshot())"
        )
        assert unread.fetchone() == ([2, 3],)


def test_restore_asks_before_it_replaces_everything(db, tmp_path):
    assert db("db", "dump", "backup").returncode == 0
    add_account(db.url, "Alice")
    assert db("db", "restore", "backup").returncode != 0
    assert rows(db.url) == [("Alice",)]
