"""Which page of a list a request asks for (decisions D24)."""

from __future__ import annotations

import re

from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.routing import Parameter

MAX_ROWS = 500
MAX_SKIP = 2**31 - 2
_NUMBER = re.compile(r"[+-]?[0-9]{1,100}")

PAGING = (
    Parameter("startindex", "The first row, counted from 1.", {"type": "integer", "default": 1}),
    Parameter(
        "maxrows",
        f"How many rows; more than {MAX_ROWS} are {MAX_ROWS}.",
        {"type": "integer", "minimum": 0, "default": MAX_ROWS},
    ),
)


def read_page(call: Call) -> tuple[int, int]:
    """(rows to skip, rows to give): `startindex` from 1, `maxrows` clamped to 500."""
    if not call.scope["query_string"]:
        return 0, MAX_ROWS
    start = _number(call.query, "startindex", 1)
    rows = _number(call.query, "maxrows", MAX_ROWS)
    if rows < 0:
        raise InvalidParameter("maxrows must not be negative.")
    return min(max(start, 1) - 1, MAX_SKIP), min(rows, MAX_ROWS)


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return default
    if not _NUMBER.fullmatch(text):
        raise InvalidParameter(f"{name} must be a whole number.")
    return int(text)
