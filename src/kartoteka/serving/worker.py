"""What a worker runs: uvicorn with the application, on the shared socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from importlib import import_module
from typing import Any

import uvicorn

from kartoteka.serving.children import Lifeline, Serve
from kartoteka.settings import Settings

FINISH_WITHIN_S = 20
"""How long a stopping worker lets requests finish."""


def serve_application(
    factory: str, settings: Settings, database_url: str, listening: socket.socket
) -> Serve:
    """A worker of the application that `factory` ("module:function") makes.

    The name is looked up in the worker: this package stands below the application.
    """

    def serve(lifeline: Lifeline) -> None:
        module, name = factory.split(":")
        application = getattr(import_module(module), name)(settings, database_url)
        asyncio_run(_Server(_configuration(application), lifeline), listening)

    return serve


def asyncio_run(server: _Server, listening: socket.socket) -> None:
    """Serve until told to stop."""
    import uvloop

    uvloop.run(server.serve(sockets=[listening]))


def _configuration(application: Any) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http="kartoteka.api.protocol:Protocol",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # paths may carry identifiers; the edge logs the route instead
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=FINISH_WITHIN_S,
    )


class _Server(uvicorn.Server):
    """uvicorn that tells its parent when it is ready and stops when the parent is gone."""

    def __init__(self, config: uvicorn.Config, lifeline: Lifeline) -> None:
        super().__init__(config)
        self._lifeline = lifeline

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._lifeline.parent, self._parent_is_gone)
        await super().startup(sockets)
        # Ctrl-C reaches this process too; uvicorn takes a second signal for impatience.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._lifeline.say_ready()

    def _parent_is_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._lifeline.parent)
        os.close(self._lifeline.parent)
        self.should_exit = True
