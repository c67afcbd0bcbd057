"""The queue of background jobs: its tables and the worker that carries them out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec
from procrastinate import App, PsycopgConnector, exceptions

from kartoteka.errors import DatabaseUnavailable

STOP_WITHIN_S = 30.0
"""How long a stopping worker lets its jobs finish."""


def open_queue(database_url: str) -> App:
    """The queue in that database; `async with queue.open_async()` connects it."""
    connector = PsycopgConnector(
        conninfo=database_url,
        min_size=1,
        max_size=4,
        timeout=10,
        kwargs={"application_name": "kartoteka worker"},
    )
    return App(connector=connector)


async def prepare_queue(database_url: str) -> bool:
    """Make the tables of the queue; False when they were there."""
    queue = open_queue(database_url)
    try:
        async with queue.open_async():
            if await _is_prepared(queue):
                return False
            try:
                await queue.schema_manager.apply_schema_async()
            except exceptions.ConnectorException:
                # Another server was quicker; the script is one transaction, so all or nothing.
                if not await _is_prepared(queue):
                    raise
                return False
            return True
    except exceptions.ConnectorException as error:
        raise DatabaseUnavailable from error


class Periodic(msgspec.Struct, frozen=True):
    """Work that comes again and again, by one of all workers."""

    name: str
    cron: str
    work: Callable[[], Awaitable[None]]


async def run_worker(
    database_url: str, periodic: Sequence[Periodic], stopping: asyncio.Event
) -> None:
    """Carry out jobs until `stopping` is set, then finish the running ones.

    Raises `DatabaseUnavailable`.
    """
    queue = open_queue(database_url)
    for one in periodic:
        _register(queue, one)
    try:
        async with queue.open_async():
            worker = asyncio.create_task(
                queue.run_worker_async(
                    concurrency=2,
                    shutdown_graceful_timeout=STOP_WITHIN_S,
                    name="kartoteka",
                    install_signal_handlers=False,
                )
            )
            stop = asyncio.create_task(stopping.wait())
            await asyncio.wait((worker, stop), return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
    except exceptions.ConnectorException as error:
        raise DatabaseUnavailable from error


def _register(queue: App, one: Periodic) -> None:
    async def run(timestamp: int) -> None:  # noqa: ARG001  procrastinate says when it was due
        await one.work()

    task = queue.task(name=one.name, queueing_lock=one.name)(run)
    queue.periodic(cron=one.cron)(task)


async def _is_prepared(queue: App) -> bool:
    found = await queue.connector.execute_query_one_async(
        query="select to_regclass('procrastinate_jobs') is not null as here"
    )
    return bool(found["here"])
