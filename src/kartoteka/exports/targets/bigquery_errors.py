"""What BigQuery says, in words; and what of it passes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kartoteka.exports.errors import (
    TargetChanged,
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetRefused,
    TargetUnreachable,
)

_PASSING = frozenset(
    (
        *("rateLimitExceeded", "backendError", "internalError", "badGateway"),
        *("jobRateLimitExceeded", "jobBackendError", "jobInternalError"),
    )
)
"""Reasons after which the same call is made again."""
_PASSING_CODES = frozenset((408, 429, 500, 502, 503, 504))


def reason_of(error: BaseException) -> str:
    """Google's word for what went wrong; nothing where it gave none."""
    errors: Any = getattr(error, "errors", None)
    first = errors[0] if errors else None
    return str(first.get("reason", "")) if isinstance(first, dict) else ""


def is_passing(error: BaseException) -> bool:
    """Whether it may be well a moment later: a limit by the second, a server that is restarting."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import TransportError
    from requests import exceptions as http

    if isinstance(error, GoogleAPICallError):
        if reason := reason_of(error):
            return reason in _PASSING
        return error.code in _PASSING_CODES
    if isinstance(error, http.SSLError):
        return False
    passing = (http.ConnectionError, http.Timeout, http.ChunkedEncodingError, TransportError)
    return isinstance(error, (*passing, ConnectionError))


def is_an_answer(error: BaseException) -> bool:
    """Whether BigQuery itself said it: there is somebody at that address."""
    from google.api_core.exceptions import GoogleAPICallError

    return isinstance(error, GoogleAPICallError) and (
        bool(reason_of(error)) or (error.code or 500) < 500
    )


@contextmanager
def in_words(doing: str) -> Iterator[None]:
    """Raises `TargetFailed` with a sentence instead of Google's errors, which quote rows."""
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.resumable_media import DataCorruption
    from requests import exceptions as http

    try:
        yield
    except api.GoogleAPICallError as error:
        raise _translated(error, doing) from error
    except auth.TransportError as error:
        raise TargetUnreachable(
            f"Google's sign-in does not answer, while {doing}; the next run tries again."
        ) from error
    except auth.GoogleAuthError as error:
        raise TargetDenied("Google does not accept the service account's key.") from error
    except http.SSLError as error:
        raise TargetUnreachable(f"The TLS connection to BigQuery failed, while {doing}.") from error
    except (http.RequestException, api.RetryError, DataCorruption, TimeoutError) as error:
        raise TargetUnreachable(
            f"BigQuery does not answer, while {doing}; the next run goes on."
        ) from error
    except OSError as error:
        raise TargetFull(
            f"The server's own disk could not take what is to be sent ({error.strerror})."
        ) from error


def _translated(error: Any, doing: str) -> TargetFailed:
    reason, code = reason_of(error), error.code
    if reason == "billingNotEnabled":
        return TargetRefused(
            f"Billing is not enabled for the project, while {doing}: without it BigQuery changes no "
            "rows."
        )
    if reason == "stopped":
        return TargetFailed(f"Somebody cancelled the job, while {doing}; the next run goes on.")
    if reason == "quotaExceeded" or code == 429 or "rate" in reason.lower():
        return TargetFull(f"A quota of BigQuery is used up, while {doing}; the next run goes on.")
    if code == 401:
        return TargetDenied("Google does not accept the service account's key.")
    if code == 403:
        return TargetDenied(
            f"The service account lacks a right, while {doing}: it needs BigQuery Data Editor and "
            "BigQuery Job User."
        )
    if code in (404, 412):
        return TargetChanged(
            f"A table or dataset went away, while {doing}; the next run makes again what is missing."
        )
    if code in (400, 409):
        return TargetChanged(
            f"BigQuery refused what was asked, while {doing}: a table is not what this export made. "
            "Drop it, and the next run makes it anew."
        )
    return TargetUnreachable(f"BigQuery does not answer, while {doing}; the next run goes on.")
