"""For whoever runs the server: health, metrics, the API's own description."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST

from kartoteka.access.model import Caller, Rights
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.call import Call
from kartoteka.api.routing import Reply, Route
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.exports.load import ExportLoad, export_load
from kartoteka.imports.load import ImportLoad, import_load

DATABASE_STATES = {True: "up", False: "down"}


async def health(call: Call) -> Answer:
    """GET /health: 200 when ready, 503 when not. A stranger learns no more than that."""
    up = await call.services.ready()
    body: dict[str, str] = {"status": "ok" if up else "down"}
    if await known_caller(call) is not None:
        body.update(version=call.services.version, database=DATABASE_STATES[up])
    return json_answer(body, 200 if up else 503)


async def metrics(call: Call) -> Answer:
    """GET /metrics for Prometheus: the numbers for a key with full rights, else only up or down."""
    up = await call.services.ready()
    caller = await known_caller(call)
    if caller is not None and caller.rights >= Rights.FULL:
        imports, exports = await _load(call) if up else (None, ())
        body = call.services.metrics.exposition(up=up, imports=imports, exports=exports)
    else:
        body = call.services.metrics.for_strangers(up=up)
    return Answer(body, content_type=CONTENT_TYPE_LATEST.encode())


async def _load(call: Call) -> tuple[ImportLoad | None, Sequence[ExportLoad]]:
    """What imports have to do and how exports are; nothing when the database cannot tell any more."""
    database = call.services.database
    try:
        imports = await import_load(database, call.services.clock.now())
        return imports, await export_load(database)
    except DatabaseUnavailable:
        return None, ()


async def known_caller(call: Call) -> Caller | None:
    """Who calls, None for a stranger: also when the database cannot tell."""
    authorization = call.headers.get(b"authorization")
    if authorization is None:
        return None
    try:
        return await call.services.keys.authenticate(authorization.decode("latin-1"))
    except KartotekaError:
        return None


async def openapi(_call: Call) -> Answer:
    """GET /openapi.json."""
    return Answer(_openapi_json(), content_type=b"application/json")


async def docs(_call: Call) -> Answer:
    """GET /docs: the same for reading, one page without scripts or anything from elsewhere."""
    return Answer(
        _docs_page(),
        content_type=b"text/html; charset=utf-8",
        headers=((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),),
    )


@cache
def _openapi_json() -> bytes:
    from kartoteka.api.openapi import describe  # it reads the table that this module is part of
    from kartoteka.api.routes import ROUTES as ALL

    return json_answer(describe(ALL)).body


@cache
def _docs_page() -> bytes:
    from kartoteka.api.docs_page import render
    from kartoteka.api.routes import ROUTES as ALL

    return render(ALL).encode()


_HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["ok", "down"]},
        "version": {"type": "string"},
        "database": {"enum": ["up", "down"]},
    },
}

ROUTES = (
    Route(
        method="GET",
        path="/health",
        operation="health",
        right=None,
        endpoint=health,
        summary="Whether the server can answer",
        tag="Operation",
        replies={200: Reply("Ready.", _HEALTH), 503: Reply("Not ready.", _HEALTH)},
    ),
    Route(
        method="GET",
        path="/metrics",
        operation="metrics",
        right=None,
        endpoint=metrics,
        summary="Numbers for Prometheus",
        tag="Operation",
        replies={200: Reply("Text format of Prometheus.", {"type": "string"}, media="text/plain")},
    ),
    Route(
        method="GET",
        path="/openapi.json",
        operation="openapi",
        right=None,
        endpoint=openapi,
        summary="This description as OpenAPI 3.1",
        tag="Operation",
        replies={200: Reply("OpenAPI 3.1.", {"type": "object"})},
    ),
    Route(
        method="GET",
        path="/docs",
        operation="docs",
        right=None,
        endpoint=docs,
        summary="This description for reading",
        tag="Operation",
        replies={200: Reply("A page.", {"type": "string"}, media="text/html")},
    ),
)
