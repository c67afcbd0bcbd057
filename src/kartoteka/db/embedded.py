"""A real PostgreSQL 18 under the data folder, started and stopped by the server."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from kartoteka.db.cluster import (
    SUPERUSER,
    cluster_folder,
    make_cluster,
    read_password,
    write_configuration,
)
from kartoteka.db.folder_lock import FolderLock
from kartoteka.db.launch import before_exec, owner_of
from kartoteka.db.leftovers import end_leftover, is_postmaster, postmaster_lines
from kartoteka.db.programs import BIN, clean_environment
from kartoteka.db.socket_folder import make_socket_folder, remove_socket_folder
from kartoteka.errors import DatabaseUnavailable, SettingsError

ROLE = DATABASE = "kartoteka"
_LOG_BYTES = 10 << 20


class EmbeddedPostgres:
    """One PostgreSQL on one data folder; a context manager starts and stops it.

    It has no TCP port and lets nobody in without the password. It stops when this process is gone
    (on Linux even after kill -9), and starts again after any kind of end.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.absolute()
        self.cluster = cluster_folder(self.data_dir)
        self._lock = FolderLock(self.data_dir)
        self._server: subprocess.Popen[bytes] | None = None
        self._socket_folder: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The libpq URL of the running database, password included."""
        if self._socket_folder is None:
            raise DatabaseUnavailable
        return _url(self._socket_folder, read_password(self.data_dir), ROLE, DATABASE)

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._server.pid if self._server and self._server.poll() is None else None

    def claim(self) -> None:
        """Make the data folder if need be, and keep every other server away from it.

        Raises `SettingsError` when it cannot be written or another server has it.
        """
        make_data_folder(self.data_dir)
        self._lock.take()

    def start(self, *, timeout_s: float = 120.0) -> None:
        """Start it and wait until it answers; the first time its files are made (about a second).

        Claims the folder unless that was done. Raises `SettingsError` when the folder is in use or
        not ours, `DatabaseUnavailable` when it does not come up in time.
        """
        if not self._lock.is_ours:
            self.claim()
        try:
            self._prepare()
            self._await_ready(time.monotonic() + timeout_s)
        except BaseException:
            self.stop()
            raise

    def stop(self, *, timeout_s: float = 60.0) -> None:
        """Stop it cleanly (PostgreSQL's fast shutdown) and leave nothing behind."""
        if self._server is not None:
            for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if self._server.poll() is not None:
                    break
                self._server.send_signal(stop)
                _wait(self._server, timeout_s)
            self._server = None
        if self._socket_folder is not None:
            remove_socket_folder(self._socket_folder)
            self._socket_folder = None
        self._lock.release()

    def restart_if_gone(self) -> bool:
        """Launch it again when it ended by itself; True when it did. Does not wait for it."""
        if self._server is None or self._server.poll() is None:
            return False
        self._launch()
        return True

    def _prepare(self) -> None:
        owner = owner_of(self.cluster)
        if self.cluster.exists() and self.cluster.stat().st_uid != owner.uid:
            raise SettingsError(
                f"The data folder {self.data_dir} was made by another user. Start Kartoteka as "
                "that user or as root, or choose another folder with KARTOTEKA_DATA_DIR."
            )
        end_leftover(self.cluster)
        self._owner = owner
        self._socket_folder = make_socket_folder(self.data_dir, owner)
        make_cluster(self.data_dir, owner, self._socket_folder)
        write_configuration(self.cluster, self._socket_folder, owner)
        self._launch()

    def _launch(self) -> None:
        program = BIN / "postgres"
        with _open_log(self.data_dir / "postgres.log") as log:
            self._server = subprocess.Popen(
                [program, "-D", str(self.cluster)],
                preexec_fn=before_exec(self._owner, [program, self.cluster]),  # noqa: PLW1509
                env=clean_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we stop it last
            )

    def _await_ready(self, deadline: float) -> None:
        """Launch it again if it gives up: after kill -9 its old children need a moment to end."""
        tries = 0
        while True:
            if self.restart_if_gone():
                tries += 1
                time.sleep(0.5)
            if _says_ready(self.cluster, self.pid):
                return _ensure_database(self._socket_folder, read_password(self.data_dir))
            if tries > 30 or time.monotonic() > deadline:
                log = self.data_dir / "postgres.log"
                raise DatabaseUnavailable(f"PostgreSQL does not start; {log} says why.")
            time.sleep(0.01)


def running_url(data_dir: Path) -> str:
    """The URL of the embedded database that some server runs on that folder.

    Raises `DatabaseUnavailable` when none does.
    """
    lines = postmaster_lines(cluster_folder(data_dir))
    if len(lines) < 8 or not is_postmaster(int(lines[0]), cluster_folder(data_dir)):
        raise DatabaseUnavailable(
            f"No server runs on the data folder {data_dir.absolute()}. Start one with "
            "`kartoteka serve`, or name a database with KARTOTEKA_DATABASE_URL."
        )
    return _url(Path(lines[4].strip()), read_password(data_dir), ROLE, DATABASE)


def make_data_folder(data_dir: Path) -> None:
    """Make it if need be: closed to others, though root's lets PostgreSQL's user pass through.

    Raises `SettingsError` when it cannot be written.
    """
    try:
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            return
    except OSError as error:
        raise SettingsError(_not_writable(data_dir, error.strerror or "")) from error


def _not_writable(folder: Path, reason: str) -> str:
    return (
        f"The data folder {folder} cannot be written ({reason}). Give this user the right to, or "
        "choose another folder with KARTOTEKA_DATA_DIR."
    )


def _says_ready(cluster: Path, pid: int | None) -> bool:
    lines = postmaster_lines(cluster)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _ensure_database(socket_folder: Path | None, password: str) -> None:
    """The role that Kartoteka works as, which is no superuser, and its database."""
    assert socket_folder is not None
    with psycopg.connect(
        _url(socket_folder, password, SUPERUSER, "postgres"), autocommit=True
    ) as connection:
        role = sql.Identifier(ROLE)
        if not connection.execute("select 1 from pg_roles where rolname = %s", [ROLE]).fetchone():
            connection.execute(
                sql.SQL("create role {} login createdb in role pg_monitor password {}").format(
                    role, sql.Literal(password)
                )
            )
        known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
        if not known.fetchone():
            connection.execute(
                sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), role)
            )


def _url(socket_folder: Path, password: str, role: str, database: str) -> str:
    return f"postgresql://{role}:{password}@/{database}?host={quote(str(socket_folder), safe='')}"


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.rename(path.with_suffix(".log.1"))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    return os.fdopen(fd, "ab")


def _wait(server: subprocess.Popen[bytes], timeout_s: float) -> None:
    try:
        server.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return
