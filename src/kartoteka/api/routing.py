"""What a route declares: method, path, right, end point and its description for OpenAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer
from kartoteka.api.bodies import SINGLE_BYTES

if TYPE_CHECKING:
    from kartoteka.api.call import Call

Endpoint = Callable[["Call"], Awaitable[Answer]]
Schema = dict[str, Any]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of query, path or header, as OpenAPI describes it."""

    name: str
    description: str
    schema: Schema = msgspec.field(default_factory=lambda: {"type": "string"})
    place: str = "query"
    required: bool = False


class Reply(msgspec.Struct, frozen=True):
    """One successful answer; `schema` None: an empty body."""

    description: str
    schema: Schema | None = None
    media: str = "application/json"
    headers: dict[str, str] = {}
    """Name and description of headers that clients read."""
    also: dict[str, Schema] = {}
    """The same in other media, by their names."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path. `right` None: anybody may call it."""

    method: str
    path: str
    """The template, `{name}` for each parameter."""
    operation: str
    """The operation id of OpenAPI, as the original names it where it does."""
    right: Rights | None
    endpoint: Endpoint
    summary: str
    tag: str = "Contacts"
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_optional: bool = False
    """The body may be empty, and that says something."""
    form: Schema | None = None
    """The body as multipart/form-data, beside or instead of JSON."""
    replies: dict[int, Reply] = {}
    errors: tuple[int, ...] = ()
    """Statuses beyond those that every route can answer."""
    max_body_bytes: int = SINGLE_BYTES
    pool: str | None = None
    """Its own rate limit (wire 1.6), else the shared one."""
    cors: bool = False
    """Pages of other sites may call it and read its answers: public end points only (D23)."""
