"""One server from its start to its end: data folder, socket, database, set-up, workers."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from kartoteka import __version__
from kartoteka.db.embedded import EmbeddedPostgres
from kartoteka.errors import DatabaseUnavailable
from kartoteka.log import logger
from kartoteka.serving.children import Child, stop_all
from kartoteka.serving.jobs import serve_jobs
from kartoteka.serving.sockets import address_of, listen
from kartoteka.serving.supervisor import Signals, Stopped, stop_signals, supervise
from kartoteka.serving.waiting import serve_waiting
from kartoteka.serving.worker import serve_application
from kartoteka.settings import Settings, with_secret_key

APPLICATION = "kartoteka.app:create_app"
SET_UP = "kartoteka.app:set_up"
"""Looked up by name, since the application stands above this package."""
DATABASE_WITHIN_S = 60.0
_WAITING_ENDS_WITHIN_S = 5.0


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is under way and stop the database.

    Raises `SettingsError` when a setting does not let it start, `DatabaseUnavailable` when the
    database stays away, `WorkersFail` when the workers do not start.
    """
    with stop_signals() as signals:
        try:
            # The folder before the port: of two servers with the same settings the second should
            # hear about the folder.
            with _claimed(settings) as postgres, listen(settings.host, settings.port) as listening:
                _serve(with_secret_key(settings), postgres, listening, signals)
        except Stopped:
            sys.stdout.write("Stopped before it was ready.\n")
            sys.stdout.flush()


def _serve(
    settings: Settings,
    postgres: EmbeddedPostgres | None,
    listening: socket.socket,
    signals: Signals,
) -> None:
    with _asking_to_wait(listening):
        if postgres is not None:
            postgres.start()
        url = postgres.url if postgres is not None else settings.database_url or ""
        made = _set_up(settings, url)
    # What the children share with us stays shared: a collection in one of them writes to no page of it.
    gc.collect()
    gc.freeze()
    workers = [serve_application(APPLICATION, settings, url, listening)] * settings.processes
    jobs = [serve_jobs(settings, url)] if settings.jobs else []
    supervise(
        [*workers, *jobs],
        signals,
        on_ready=lambda: announce(address_of(listening), made),
        restart_database=postgres.restart_if_gone if postgres is not None else lambda: False,
    )


@contextmanager
def _claimed(settings: Settings) -> Iterator[EmbeddedPostgres | None]:
    """The embedded database of this server, its folder locked; None with a database elsewhere."""
    if settings.database_url:
        yield None
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    postgres.claim()
    try:
        yield postgres
    finally:
        postgres.stop()


@contextmanager
def _asking_to_wait(listening: socket.socket) -> Iterator[None]:
    """Inside the block requests are answered with 503."""
    child = Child.fork(serve_waiting(listening))
    try:
        yield
    finally:
        stop_all([child], timeout_s=_WAITING_ENDS_WITHIN_S)


def _set_up(settings: Settings, url: str) -> Any:
    """What the first start made, else None. Waits a while for a database that starts too."""
    module, name = SET_UP.split(":")
    set_up = getattr(import_module(module), name)
    deadline = time.monotonic() + DATABASE_WITHIN_S
    while True:
        try:
            return asyncio.run(set_up(settings, url))
        except DatabaseUnavailable as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("waiting_for_database", reason=error.message)
            time.sleep(1)


def announce(address: str, made: Any) -> None:
    """Say where the server is, and once what its first start made."""
    lines = [f"Kartoteka {__version__} is ready: {address}"]
    if made is not None:
        key = made.api_key or "the one in KARTOTEKA_API_KEY"
        password = made.admin_password or "the one in KARTOTEKA_ADMIN_PASSWORD"
        lines += [
            f"API key: {key}",
            f"Admin login: {made.admin_login}",
            f"Admin password: {password}",
            "Key and password are shown this once; `kartoteka keys create` makes more keys.",
        ]
        lines += [f"Warning: {made.warning}"] if made.warning else []
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
