"""Log lines: JSON for machines or readable for people, never with personal data or keys.

Events are fixed words with fields that we chose. Of an error only its type and the places it passed
are logged: its message may quote a value (our own errors promise not to, so theirs is kept).
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from kartoteka.errors import KartotekaError
from kartoteka.log_stream import LogStream

Event = MutableMapping[str, Any]
logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("kartoteka")
"""For all of ours: `logger.info("key_created", key_id=7)`, an event in fixed words and fields."""
_streams: list[LogStream] = []
_json_streams: list[LogStream] = []
"""The same where lines are written as JSON."""
_QUIET = ("uvicorn", "uvicorn.error", "procrastinate", "asyncio", "httpx", "psycopg")


class RequestLine(msgspec.Struct, frozen=True):
    """The line about an answered request: what we chose, in this order."""

    method: str
    route: str
    status: int
    ms: float
    request_id: str
    key_id: int | None


class _JSONRequestLine(RequestLine, frozen=True, kw_only=True):
    event: str = "request"
    level: str = "info"
    timestamp: datetime


def log_request(line: RequestLine) -> None:
    """Log that a request was answered: by far the most lines, so JSON is spelled without the way through
    all processors, of which none has anything to do here."""
    if not _json_streams:
        logger.info("request", **msgspec.structs.asdict(line))
        return
    spelled = _JSONRequestLine(*msgspec.structs.astuple(line), timestamp=datetime.now(UTC))
    for stream in _json_streams:
        stream.write(_encode(spelled).decode() + "\n")
        stream.flush()


_encode = msgspec.json.Encoder().encode


def start_logging(log_format: str = "") -> None:
    """Send every log line of this process to stderr; `readable`, `json`, or "" for what fits."""
    readable = (log_format or ("readable" if sys.stderr.isatty() else "json")) == "readable"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_values,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if readable
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    stream = LogStream(sys.stderr)
    _streams[:] = [stream]
    _json_streams[:] = [] if readable else [stream]
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.WriteLoggerFactory(stream),  # type: ignore[arg-type]
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging([_first_line_only, *shared], renderer)


def finish_logging() -> None:
    """Write what is still gathered; for whoever ends a process by `os._exit`."""
    for stream in _streams:
        stream.write_out()


def _route_standard_logging(processors: list[Any], renderer: Any) -> None:
    """Libraries log through the standard module: warnings and worse, in the same form."""
    channel = logging.StreamHandler(sys.stderr)
    channel.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[channel], level=logging.WARNING, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def without_values(_logger: Any, _method: str, event: Event) -> Event:
    """Replace `exc_info` by the type of the error and where it passed, without its words."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        if isinstance(error, KartotekaError):
            event["reason"] = error.message
        frames = traceback.extract_tb(error.__traceback__)
        event["trace"] = [f"{f.filename}:{f.lineno} {f.name}" for f in frames][-12:]
    return event


def _first_line_only(_logger: Any, _method: str, event: Event) -> Event:
    """asyncio appends the repr of tasks and errors on further lines, values included."""
    event["event"] = str(event.get("event", "")).split("\n", 1)[0]
    return event


def _to_json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
