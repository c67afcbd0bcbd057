"""Errors as answers: one table from error to status, one JSON shape (decisions D21)."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from kartoteka.api.answers import Answer, json_answer
from kartoteka.errors import (
    Conflict,
    DatabaseUnavailable,
    DuplicatedRequest,
    ExternalIdTaken,
    Forbidden,
    IdempotencyMismatch,
    InvalidRequest,
    KartotekaError,
    NotFound,
    NotServed,
    RateLimited,
    TooLarge,
    Unauthorised,
    UnsupportedMedia,
)
from kartoteka.exports.errors import TargetFailed
from kartoteka.imports.arrivals import NoRoom


class MethodNotAllowed(KartotekaError):
    """This path does not take this method; the header Allow lists those it takes."""

    code = "method_not_allowed"


class BodyTooSlow(KartotekaError):
    """The body did not arrive in time."""

    code = "request_timeout"


class UnknownPath(NotFound):
    """There is no such path here; /docs lists them all."""

    code = "unknown_path"


class InternalError(KartotekaError):
    """Something went wrong here; the log has it under the id in the header X-Request-Id."""

    code = "internal_error"


STATUS: dict[type[KartotekaError], int] = {
    InvalidRequest: 400,
    ExternalIdTaken: 400,
    Unauthorised: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    BodyTooSlow: 408,
    Conflict: 409,
    DuplicatedRequest: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    IdempotencyMismatch: 422,
    RateLimited: 429,
    InternalError: 500,
    NotServed: 501,
    DatabaseUnavailable: 503,
    NoRoom: 507,
    TargetFailed: 400,
}
"""The nearest class above an error decides; what has none is a fault of ours, 500."""

CHALLENGE = b'Basic realm="kartoteka", charset="UTF-8"'


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """What every error answers; vendor plug-ins read `status` and `message` (clients 1)."""

    timestamp: str
    status: int
    error: str
    message: str
    path: str
    code: str
    details: dict[str, Any] = {}


def status_of(error: KartotekaError) -> int:
    """The HTTP status of an error."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def error_answer(error: KartotekaError, path: str, at: datetime) -> Answer:
    """The answer for an error; `path` without query. Its code may come from the raiser."""
    status = status_of(error)
    details = dict(error.details)
    code = details.pop("code", error.code)
    details.pop("retry_after_s", None)  # the header says it
    details.update(details.pop("details", None) or {})
    body = ErrorBody(
        timestamp=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        status=status,
        error=HTTPStatus(status).phrase,
        message=error.message,
        path=path,
        code=code,
        details=details,
    )
    return json_answer(body, status, _headers(error, status))


def _headers(error: KartotekaError, status: int) -> list[tuple[bytes, bytes]]:
    if status == 401:
        return [(b"www-authenticate", CHALLENGE)]
    if status == 405:
        return [(b"allow", str(error.details.get("allow", "")).encode())]
    if isinstance(error, RateLimited):
        return [(b"retry-after", str(error.retry_after_s).encode())]
    if status == 503:
        return [(b"retry-after", b"1")]
    return []
