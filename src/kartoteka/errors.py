"""Errors of Kartoteka: what went wrong, in words for whoever sent the request.

The docstring's first paragraph is the default message; `code` is stable and may be relied on.
Errors know no status and no exit codes (the edges do) and never carry a contact's own data.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, ClassVar


class KartotekaError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or default_message(type(self))
        self.details: dict[str, Any] = details
        super().__init__(self.message)


def default_message(error: type[KartotekaError]) -> str:
    """The first paragraph of the class docstring on one line, or its parent's."""
    for kind in error.__mro__:
        if kind.__doc__:
            return " ".join(cleandoc(kind.__doc__).split("\n\n")[0].split())
    raise AssertionError(error)


class InvalidRequest(KartotekaError):
    """The request is not valid."""

    code = "invalid_request"


class NotFound(KartotekaError):
    """There is no such thing here."""

    code = "not_found"


class Forbidden(KartotekaError):
    """This API key does not have the right to do that."""

    code = "forbidden"


class Unauthorised(KartotekaError):
    """The request needs a valid API key."""

    code = "unauthorised"


class TooLarge(KartotekaError):
    """The request is larger than allowed."""

    code = "too_large"


class LinkRefused(InvalidRequest):
    """The link may not be followed from here."""

    code = "link_refused"


class LinkFailed(InvalidRequest):
    """The link was followed, and what it leads to could not be fetched."""

    code = "link_failed"


class UnsupportedMedia(KartotekaError):
    """The body must be JSON with Content-Type application/json."""

    code = "unsupported_media_type"


class Conflict(KartotekaError):
    """The request contradicts what is stored."""

    code = "conflict"


class DuplicatedRequest(KartotekaError):
    """Duplicated request: the same request came a moment ago."""

    code = "duplicated_request"


class IdempotencyMismatch(KartotekaError):
    """This idempotency key was used for another request."""

    code = "idempotency_key_reused"


class RateLimited(KartotekaError):
    """Too many requests; try again later."""

    code = "rate_limited"

    def __init__(self, message: str | None = None, *, retry_after_s: int = 1) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class NotServed(KartotekaError):
    """Kartoteka sends no messages and does not serve this path of the original."""

    code = "not_served"


class DatabaseUnavailable(KartotekaError):
    """The database does not answer; try again in a moment."""

    code = "database_unavailable"


class SettingsError(KartotekaError):
    """A setting is not valid."""

    code = "invalid_setting"


class ExternalIdTaken(Conflict):
    """Another contact has this External ID."""

    code = "external_id_taken"


class ContactMerged(Conflict):
    """This contact was merged into another one."""

    code = "contact_merged"


class NoIdentifier(InvalidRequest):
    """The contact has no usable identifier: give an externalCustomerId, e-mail, phone or token."""

    code = "no_identifier"
