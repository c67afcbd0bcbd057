"""The HTTP application: a dispatcher for the few hot methods before Litestar for all others.

Litestar costs about 120 µs a request, more than everything that a small write needs (design, engine).
Both ways lead through the same `Edge`, so rights, errors and log lines are the same.
"""

from __future__ import annotations

from typing import Any

from kartoteka.api.edge import Edge
from kartoteka.api.litestar_app import build_litestar
from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route
from kartoteka.api.services import Services

HOT_PATHS = (
    ("POST", "/api/v1/contact"),
    ("GET", "/api/v1/contacts"),
    ("POST", "/api/v2"),
    *(("POST", f"/api/v{version}/event") for version in (1, 2, 3)),
)
HOT_CONTACT = ("GET", "/api/v1/contact/{id}")
_CONTACT_PREFIX = b"/api/v1/contact/"


def build(services: Services) -> Application:
    """The ASGI application on these services, which whoever calls opens before and closes after."""
    return Application(services)


class Application:
    """Takes a request to its route; a trailing slash makes no difference (decisions D23)."""

    def __init__(self, services: Services) -> None:
        self._edge = Edge(services)
        self._litestar = build_litestar(ROUTES, self._edge)
        by_path = {(route.method, route.path): route for route in ROUTES}
        self._hot: dict[tuple[str, bytes], Route] = {
            (method, path.encode()): by_path[method, path]
            for method, path in HOT_PATHS
            if (method, path) in by_path
        }
        self._hot_contact = by_path.get(HOT_CONTACT)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await _other(scope, receive, send)
            return
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        path = path.rstrip(b"/") or b"/"
        method: str = scope["method"]
        if (route := self._hot.get((method, path))) is not None:
            await self._edge.run(route, {}, scope, receive, send)
            return
        if method == "GET" and self._hot_contact is not None and path.startswith(_CONTACT_PREFIX):
            tail = path[len(_CONTACT_PREFIX) :]
            if tail.isdigit():
                params = {"id": tail.decode()}
                await self._edge.run(self._hot_contact, params, scope, receive, send)
                return
        scope.pop("extensions", None)  # Litestar's `send` is not the server's, which knows no other
        await self._litestar(scope, path, receive, send)


async def _other(scope: Any, receive: Any, send: Any) -> None:
    """Lifespan is acknowledged; web sockets are not spoken here."""
    if scope["type"] != "lifespan":
        await send({"type": "websocket.close", "code": 1000})
        return
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
