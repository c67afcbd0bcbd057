"""Arrays as statement parameters, several times quicker than psycopg's own list dumper.

`%(ids)s::bigint[]` with `pg_array(ids)`: the cast is needed, since the value goes as text of
unknown type. JSON and PostgreSQL's array text differ in the brackets and in a few escapes only, so
the C encoder of msgspec does the work (design: about 20 µs of Python a request less).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.adapt import Dumper

_UNLIKE_POSTGRES = re.compile(rb'\\[^"\\]')
"""A JSON escape that PostgreSQL reads otherwise: \\n, \\t, \\u0007 …"""
_encode = msgspec.json.Encoder().encode


class PgArray:
    """The text of a PostgreSQL array, ready to be sent."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text


def pg_array(values: Sequence[Any]) -> PgArray:
    """An array of strings, numbers, booleans, times (with None as NULL), of one dimension.

    A string must hold no NUL: PostgreSQL has none. NaN and infinite floats become NULL.
    """
    text = _encode(values)
    if b"\\" in text and has_foreign_escape(text):
        return PgArray(_spelled_out(values))
    return PgArray(b"{" + text[1:-1] + b"}")


def has_foreign_escape(text: bytes) -> bool:
    """True when that JSON has an escape other than `\\"` and `\\\\`."""
    if text.count(b"\\") == text.count(b'\\"'):  # JSON inside has nothing else
        return False
    return _UNLIKE_POSTGRES.search(text.replace(b"\\\\", b"")) is not None


def _spelled_out(values: Iterable[Any]) -> bytes:
    return b"{" + b",".join(_element(value) for value in values) + b"}"


def _element(value: Any) -> bytes:
    if not isinstance(value, str):
        return _encode(value)
    return b'"' + value.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


class _PgArrayDumper(Dumper):
    def dump(self, obj: PgArray) -> bytes:
        return obj.text


psycopg.adapters.register_dumper(PgArray, _PgArrayDumper)
