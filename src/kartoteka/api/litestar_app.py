"""Litestar with one handler for each route of the table: it finds the route, `Edge` does the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from litestar import HttpMethod, Litestar, Request
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ExceptionHandlersMap

from kartoteka.api.answers import Answer
from kartoteka.api.call import InvalidParameter
from kartoteka.api.cors import preflight
from kartoteka.api.edge import Edge, send_answer
from kartoteka.api.errors import InternalError, MethodNotAllowed, UnknownPath
from kartoteka.api.routing import Route
from kartoteka.errors import KartotekaError

_PARAMETER = re.compile(r"\{(\w+)\}")
_KNOWN = "kartoteka"


class ColdRoutes:
    """All routes behind Litestar's router. Paths are matched before percent-decoding: a token may
    contain a slash."""

    def __init__(self, routes: Sequence[Route], edge: Edge) -> None:
        self._edge = edge
        self._allowed = allowed_methods(routes)
        self._for_pages = {route.path for route in routes if route.cors}
        self._app = Litestar(
            route_handlers=[
                # First: Litestar makes handlers of its own for paths that have none, with less in them.
                *(self._options(path, allow) for path, allow in self._allowed.items()),
                *(self._handler(route) for route in routes),
            ],
            exception_handlers=_raising,
            openapi_config=None,
            logging_config=None,
            request_max_body_size=None,
            debug=False,
        )

    async def __call__(self, scope: Any, path: bytes, receive: Any, send: Any) -> None:
        text = path.decode("latin-1")
        inner: Any = {**scope, "path": text, "raw_path": path, _KNOWN: scope}
        if scope["method"] == "HEAD":
            inner["method"] = "GET"
        try:
            await self._app(inner, receive, send)
        except HTTPException as error:
            await self._edge.refuse(_as_ours(error), scope, send)
        except KartotekaError as error:  # a path that cannot be read
            await self._edge.refuse(error, scope, send)

    def _options(self, path: str, allow: str) -> HTTPRouteHandler:
        async def options(request: Request[Any, Any, Any]) -> ASGIApp:  # noqa: ARG001 - by name
            async def respond(scope: Any, _receive: Any, send: Any) -> None:
                headers = dict(scope["headers"])
                more = preflight(headers, allow) if path in self._for_pages else ()
                answer = Answer(b"", 204, None, ((b"allow", allow.encode()), *more))
                request_id = self._edge.request_id(headers)
                await send_answer(send, answer, request_id)

            return respond

        return _route_handler(path, HttpMethod.OPTIONS, f"options {path}")(options)

    def _handler(self, route: Route) -> HTTPRouteHandler:
        async def run(request: Request[Any, Any, Any]) -> ASGIApp:
            params = {name: _decoded(text) for name, text in request.path_params.items()}

            async def respond(scope: Any, receive: Any, send: Any) -> None:
                await self._edge.run(route, params, scope[_KNOWN], receive, send)

            return respond

        return _route_handler(route.path, HttpMethod(route.method), route.operation)(run)


def _route_handler(path: str, method: HttpMethod, name: str) -> HTTPRouteHandler:
    # Litestar insists on a status with a body; `Edge` sends the real one.
    template = _PARAMETER.sub(r"{\1:str}", path)
    return HTTPRouteHandler(template, http_method=method, name=name, status_code=200)


def allowed_methods(routes: Sequence[Route]) -> dict[str, str]:
    """For each path what its header Allow says; who may GET may HEAD."""
    methods: dict[str, set[str]] = {}
    for route in routes:
        methods.setdefault(route.path, {"OPTIONS"}).add(route.method)
        if route.method == "GET":
            methods[route.path].add("HEAD")
    return {path: ", ".join(sorted(found)) for path, found in methods.items()}


def build_litestar(routes: Sequence[Route], edge: Edge) -> ColdRoutes:
    """The routes of the table."""
    return ColdRoutes(routes, edge)


def _decoded(text: Any) -> str:
    try:
        return unquote(str(text), errors="strict")
    except UnicodeDecodeError:
        raise InvalidParameter("The path is not valid UTF-8.") from None


def _as_ours(error: HTTPException) -> KartotekaError:
    if isinstance(error, MethodNotAllowedException):
        found = set((error.headers or {}).get("allow", "").split(", "))
        allow = sorted(found | {"HEAD"} if "GET" in found else found)
        return MethodNotAllowed(allow=", ".join(allow))
    if isinstance(error, NotFoundException):
        return UnknownPath()
    return InternalError()


def _reraise(_request: Any, error: Exception) -> Any:
    raise error


_raising: ExceptionHandlersMap = {HTTPException: _reraise, Exception: _reraise}
