"""The embedded PostgreSQL: private, durable, and back after every kind of end."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from kartoteka.db.cluster import configuration
from kartoteka.db.embedded import EmbeddedPostgres, running_url
from kartoteka.db.launch import Owner
from kartoteka.db.leftovers import is_alive
from kartoteka.db.socket_folder import is_private, make_socket_folder, remove_socket_folder
from kartoteka.errors import DatabaseUnavailable, SettingsError

AS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")


def ask(url: str, question: str):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(question).fetchone()[0]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    with EmbeddedPostgres(tmp_path_factory.mktemp("embedded")) as started:
        yield started


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit", "full_page_writes"])
def test_what_was_committed_is_on_disk(postgres, name):
    assert ask(postgres.url, f"show {name}") == "on"


def test_there_is_no_tcp_port(postgres):
    assert ask(postgres.url, "show listen_addresses") == ""


def test_nobody_gets_in_without_the_password(postgres):
    for url in (
        postgres.url.replace(":" + postgres.url.split(":")[2].split("@")[0], ""),
        postgres.url.replace(postgres.url.split(":")[2].split("@")[0], "wrong"),
    ):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url)


def test_kartoteka_is_no_superuser(postgres):
    assert ask(postgres.url, "show is_superuser") == "off"


def test_password_log_and_socket_are_for_us_alone(postgres):
    for name in ("postgres.password", "postgres.log"):
        assert stat.S_IMODE((postgres.data_dir / name).stat().st_mode) == 0o600
    folder = Path(ask(postgres.url, "show unix_socket_directories"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_value_of_a_failed_statement_gets_into_the_log(postgres):
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create temp table t (email text primary key)")
        for statement in ("insert into t values ('alice@example.org')", "select 'alice@'::int"):
            for _ in range(2):
                try:
                    connection.execute(statement)
                except psycopg.Error:
                    continue
    assert "alice@" not in (postgres.data_dir / "postgres.log").read_text()


def test_a_second_server_on_the_folder_says_so_at_once(postgres):
    started = time.monotonic()
    with pytest.raises(SettingsError, match=f"process {os.getpid()}"):
        EmbeddedPostgres(postgres.data_dir).start()
    assert time.monotonic() - started < 60  # no wait for a start that does not come
    assert ask(postgres.url, "select 1") == 1


def test_others_find_the_url_of_the_running_server(postgres, tmp_path):
    assert running_url(postgres.data_dir) == postgres.url
    with pytest.raises(DatabaseUnavailable, match="kartoteka serve"):
        running_url(tmp_path)


@pytest.mark.parametrize("megabytes", [256, 2048, 24_000, 512_000])
def test_its_memory_is_an_eighth_of_the_machine_within_limits(megabytes):
    buffers = configuration(Path("/s"), megabytes << 20)["shared_buffers"]
    assert buffers == f"{min(max(megabytes // 8, 64), 4096)}MB"


def test_it_comes_back_after_kill_9_with_what_was_committed(tmp_path):
    folder = tmp_path / "d"
    with EmbeddedPostgres(folder) as postgres:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute("create table t as select 7 as n")
        os.kill(postgres.pid, signal.SIGKILL)
        while postgres.pid:
            time.sleep(0.01)
        assert postgres.restart_if_gone()
        assert eventually(lambda: ask(postgres.url, "select n from t")) == 7
        os.kill(postgres.pid, signal.SIGKILL)
    with EmbeddedPostgres(folder) as postgres:
        assert ask(postgres.url, "select n from t") == 7


def eventually(question, timeout_s: float = 120):
    """The first answer of `question` that is no error of the database."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return question()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_folder_with_a_long_path_works(tmp_path):
    folder = tmp_path / ("long" * 20) / ("path" * 20) / "Їжак with spaces"
    with EmbeddedPostgres(folder) as postgres:
        assert ask(postgres.url, "select 1") == 1


def test_a_half_made_cluster_is_made_anew(tmp_path):
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path) as postgres:
        assert ask(postgres.url, "select 1") == 1
    assert not half.exists()


def test_stopping_leaves_no_socket_and_no_process(tmp_path):
    with EmbeddedPostgres(tmp_path) as postgres:
        folder, pid = Path(ask(postgres.url, "show unix_socket_directories")), postgres.pid
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


CHILD = """
import os, signal, sys, pathlib
from kartoteka.db.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres(pathlib.Path(sys.argv[1]))
postgres.start()
print(postgres.pid, flush=True)
signal.pause()
"""


def test_it_ends_when_its_parent_is_killed_and_the_next_start_does_not_mind(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    with EmbeddedPostgres(tmp_path) as postgres:
        assert postgres.pid != pid
        assert ask(postgres.url, "select 1") == 1
    assert not is_alive(pid)


def test_a_pid_file_that_names_another_living_process_does_not_stop_the_start(tmp_path):
    with EmbeddedPostgres(tmp_path) as postgres:
        os.kill(postgres.pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "3600"], user=postgres.cluster.stat().st_uid) as other:
        pid_file = postgres.cluster / "postmaster.pid"
        pid_file.write_text("\n".join([str(other.pid), *pid_file.read_text().splitlines()[1:]]))
        with EmbeddedPostgres(tmp_path) as again:
            assert ask(again.url, "select 1") == 1
        assert other.poll() is None
        other.kill()


@only_root
def test_root_hands_it_to_a_user_who_owns_nothing_else(postgres):
    owner = postgres.cluster.stat().st_uid
    assert owner != 0
    status = Path(f"/proc/{postgres.pid}/status").read_text()
    assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}" in status


@only_root
def test_root_changes_no_folder_above_the_data(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "d") as postgres:
        assert ask(postgres.url, "select 1") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A short folder of ours for sockets."""
    folder = Path(f"/tmp/kt-{tmp_path.stat().st_ino}")
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    for path in folder.iterdir():
        path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()
    folder.rmdir()


US = Owner(os.geteuid(), os.getegid())


def test_the_socket_folder_has_the_same_name_at_every_start(place, tmp_path):
    first = make_socket_folder(tmp_path, US)
    assert first.parent == place
    assert make_socket_folder(tmp_path, US) == first


@pytest.mark.parametrize("trap", ["symlink", "open", "file"])
def test_a_socket_folder_that_others_prepared_is_not_used(place, tmp_path, trap):
    mine = make_socket_folder(tmp_path, US)
    remove_socket_folder(mine)
    match trap:
        case "symlink":
            (tmp_path / "theirs").mkdir(mode=0o700)
            mine.symlink_to(tmp_path / "theirs")
        case "open":
            mine.mkdir()
            mine.chmod(0o777)
        case "file":
            mine.touch()
    other = make_socket_folder(tmp_path, US)
    assert other != mine
    assert is_private(other, US)
    remove_socket_folder(other)


@only_root
def test_a_socket_folder_of_another_user_is_not_used(place, tmp_path):
    mine = make_socket_folder(tmp_path, US)
    os.chown(mine, pwd.getpwnam("nobody").pw_uid, -1)
    other = make_socket_folder(tmp_path, US)
    assert other != mine
    remove_socket_folder(other)
