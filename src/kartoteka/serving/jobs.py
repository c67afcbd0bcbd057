"""The process that carries out background work: a child of the server, or `kartoteka worker`."""

from __future__ import annotations

import asyncio
import os
import signal
from importlib import import_module
from typing import Any

from kartoteka.log import finish_logging, logger
from kartoteka.serving.children import Lifeline, Serve
from kartoteka.settings import Settings

JOBS = "kartoteka.app:run_jobs"
"""Looked up by name, since the application stands above this package."""
ORPHAN_ENDS_WITHIN_S = 2.0
NICE = 5
"""Live calls come first where both want the same core."""
ALONE_FOR_S = 3.0
"""How long a child whose parent is gone may go on; whatever it does then, the next one does again."""


def serve_jobs(settings: Settings, database_url: str) -> Serve:
    """A child that works until it is told to stop or its parent is gone."""

    def serve(lifeline: Lifeline) -> None:
        os.nice(NICE)
        _run(settings, database_url, lifeline)

    return serve


def work(settings: Settings, database_url: str) -> None:
    """Work in this process until SIGTERM or Ctrl-C."""
    _run(settings, database_url, None)


def _run(settings: Settings, database_url: str, lifeline: Lifeline | None) -> None:
    import uvloop

    uvloop.run(_until_stopped(settings, database_url, lifeline))


async def _until_stopped(settings: Settings, database_url: str, lifeline: Lifeline | None) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    if lifeline is None:
        loop.add_signal_handler(signal.SIGINT, stopping.set)
    else:
        loop.add_reader(lifeline.parent, _parent_is_gone, lifeline, stopping)
        lifeline.say_ready()
    logger.info("worker_started")
    module, name = JOBS.split(":")
    run_jobs: Any = getattr(import_module(module), name)
    await run_jobs(settings, database_url, stopping)


def _parent_is_gone(lifeline: Lifeline, stopping: asyncio.Event) -> None:
    """Finish what is under way, but do not wait for a database that went with the parent."""
    loop = asyncio.get_running_loop()
    loop.remove_reader(lifeline.parent)
    stopping.set()
    loop.call_later(ALONE_FOR_S, _end)


def _end() -> None:
    finish_logging()
    os._exit(1)
