"""Fixtures that every test may use.

- `postgres_url`: one embedded PostgreSQL for the whole run (also under xdist);
- `database_url`: a fresh, migrated database of it for one test;
- `empty_database_url`: the same without anything in it;
- `database`: a `Database` open on `database_url`;
- `server`: the real `kartoteka serve` as a child process, shared by the tests of one module;
- `start_server`: starts more of them, each as told, and stops them after the test.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from kartoteka.db.cluster import SUPERUSER, cluster_folder
from kartoteka.db.database import Database
from kartoteka.db.embedded import EmbeddedPostgres, running_url
from kartoteka.db.migrate import migrate
from tests.hunting import EXAMPLES

# A machine that is busy is no failure: nothing here is timed.
settings.register_profile(
    "kartoteka",
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kartoteka")

# A shell makes what it starts in the background ignore Ctrl-C, with its children: tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TEMPLATE = "kartoteka_template"
COMMAND = str(Path(sys.executable).with_name("kartoteka"))
"""The installed command, as a user runs it."""


LONG = ("faults", "exports", "admin", "docs", "cli", "tracker", "api", "scenarios", "contract")
"""Folders whose files take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: the many short ones of `rules` come last and end with all workers at once.

    `make test` hands files out in this order.
    """
    root = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(root).parts[0] if root in item.path.parents else ""
        known = (*LONG, folder, "rules")
        return known.index(folder) if folder != "rules" else len(known)

    items.sort(key=place)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded PostgreSQL with a migrated template database; one per xdist worker."""
    folder = tmp_path_factory.mktemp("postgres")
    with EmbeddedPostgres(folder) as postgres:
        do_not_wait_for_the_disk(folder)
        make_database(postgres.url, TEMPLATE)
        asyncio.run(migrate(url_of(postgres.url, TEMPLATE)))
        yield postgres.url


def do_not_wait_for_the_disk(folder: Path) -> None:
    """Let the PostgreSQL of this data folder leave it to the kernel when to write, from now on.

    Only a machine that loses power could tell the difference: kill -9 ends no kernel.
    """
    (cluster_folder(folder) / "local.conf").write_text("fsync = off\nfull_page_writes = off\n")
    superuser = running_url(folder).replace("//kartoteka:", f"//{SUPERUSER}:")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("select pg_reload_conf()")


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database with the schema of this version, dropped after the test."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database with nothing in it."""
    with fresh_database(postgres_url, template="template0") as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Connections to a fresh, migrated database."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@contextmanager
def fresh_database(postgres_url: str, template: str = TEMPLATE) -> Iterator[str]:
    """The URL of a copy of the template, for fixtures of other lengths of life."""
    name = f"test_{secrets.token_hex(6)}"
    make_database(postgres_url, name, template)
    try:
        yield url_of(postgres_url, name)
    finally:
        drop_database(postgres_url, name)


def drop_database(postgres_url: str, name: str) -> None:
    """Drop it, whoever is still connected."""
    drop = sql.SQL("drop database {}").format(sql.Identifier(name))
    deadline = time.monotonic() + 60
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        while True:
            try:
                connection.execute(drop + sql.SQL(" with (force)"))
            except psycopg.errors.InsufficientPrivilege:
                # An autovacuum worker is in it, which only a superuser may end by force. The others
                # can be ended, and the plain form asks the worker to leave.
                end_others(connection, name)
                with suppress(psycopg.errors.ObjectInUse):
                    connection.execute(drop)
                    return
                assert time.monotonic() < deadline, f"somebody stays in {name}"
            else:
                return


def end_others(connection: psycopg.Connection, name: str) -> None:
    """End the sessions of clients in that database."""
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = %s and backend_type = 'client backend'",
        [name],
    )


def make_database(postgres_url: str, name: str, template: str = "template0") -> None:
    """Create that database on the server of that URL."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def url_of(postgres_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()


class Server:
    """A running `kartoteka serve`.

    `url` is its address, `key` its API key, `lines` what it printed until it was ready.
    """

    def __init__(self, process: subprocess.Popen[str], key: str, log: Path) -> None:
        self.process = process
        self.key = key
        self.log = log
        self.lines: list[str] = []
        self.url = ""

    def wait_until_ready(self, timeout_s: float = 300) -> Server:
        """Read its output up to the line that names its address; fails when it ends before."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while not self.url:
            line = self.process.stdout.readline()
            assert line, f"the server ended ({self.process.wait()}): {self.log.read_text()}"
            assert time.monotonic() < deadline, self.log.read_text()
            self.lines.append(line.rstrip("\n"))
            if "is ready: " in line:
                self.url = line.rpartition(" ")[2].strip()
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 180) -> int:
        """End it, and wait until it has; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(timeout_s)
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()
        return code


def free_port() -> int:
    """A port on which nobody listens, below those that connections get by themselves.

    So it is still free when somebody listens there a moment later, however many connect meanwhile.
    """
    for port in secrets.SystemRandom().sample(range(20_000, 32_000), 1_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


API_KEY = "kk_test_0123456789abcdefghijklmnopqr"
ADMIN_PASSWORD = "correct horse battery"
StartServer = Callable[..., Server]


def launch_server(folder: Path, *, become: Sequence[str] = (), **environment: str) -> Server:
    """Start `kartoteka serve` on that data folder and a free port; call `wait_until_ready`.

    `become`: a command in front that changes the user. `environment`: further settings, such as
    KARTOTEKA_PROCESSES="2". Its API key is `API_KEY` unless told otherwise; its log lines go to
    the file `server.log` beside the data folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.parent / "server.log"
    given = {
        "KARTOTEKA_DATA_DIR": str(folder),
        "KARTOTEKA_PORT": "0",
        "KARTOTEKA_API_KEY": API_KEY,
        **environment,
    }
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*become, COMMAND, "serve"],
            env=clean_environment() | given,
            cwd=folder.parent,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    return Server(process, given["KARTOTEKA_API_KEY"], log)


def clean_environment() -> dict[str, str]:
    """Our environment without settings of Kartoteka."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KARTOTEKA")}


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """`start_server(folder=..., KARTOTEKA_PROCESSES="2")` gives a ready `Server`.

    `folder` is its data folder, by default one of this test. All are stopped after the test.
    """
    started: list[Server] = []

    def start(folder: Path | None = None, **environment: str) -> Server:
        server = launch_server(folder or tmp_path / "server" / "data", **environment)
        started.append(server)
        return server.wait_until_ready()

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def started_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder on which a server has been started once, and stopped: to be copied.

    What only a first start does, such as making the files of PostgreSQL, is tested in
    `tests/cli/test_serve.py`; others need not wait for it.
    """
    folder = tmp_path_factory.mktemp("started_once") / "data"
    server = launch_server(folder, KARTOTEKA_ADMIN_PASSWORD=ADMIN_PASSWORD).wait_until_ready()
    do_not_wait_for_the_disk(folder)
    assert server.stop() == 0
    return folder


def launch_again(folder: Path, started_once: Path, **environment: str) -> Server:
    """Start `kartoteka serve` on a copy of that folder, as `launch_server` does."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", started_once, folder], check=True)
    return launch_server(folder, **environment)


@pytest.fixture(scope="module")
def server(started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server as a child process on its own embedded PostgreSQL, one for a module."""
    folder = tmp_path_factory.mktemp("server") / "data"
    started = launch_again(folder, started_once).wait_until_ready()
    yield started
    started.stop()
