"""Named SQL statements out of the `queries.sql` of a capability."""

from __future__ import annotations

import re
from importlib import resources

import msgspec

_NAME = re.compile(r"^--\s*name:\s*(\S+)\s*$")


class Query(msgspec.Struct, frozen=True):
    """One statement; parameters are spelled `%(name)s`."""

    name: str
    sql: str
    comment: str


def load_queries(package: str, file: str = "queries.sql") -> dict[str, Query]:
    """The statements of that package's file, by name.

    A statement begins with a line `-- name: load_cards`; comment lines right under it say what it
    answers; everything up to the next name is the SQL. Raises ValueError when a name comes twice or
    a statement is empty.
    """
    return parse_queries(resources.files(package).joinpath(file).read_text("utf-8"))


def parse_queries(text: str) -> dict[str, Query]:
    """The statements in such a text, by name."""
    found: dict[str, Query] = {}
    for name, lines in _sections(text):
        if name in found:
            raise ValueError(f"query {name!r} is defined twice")
        found[name] = _query(name, lines)
    return found


def _sections(text: str) -> list[tuple[str, list[str]]]:
    sections: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if match := _NAME.match(line):
            sections.append((match[1], []))
        elif sections:
            sections[-1][1].append(line)
    return sections


def _query(name: str, lines: list[str]) -> Query:
    start = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    comment = " ".join(line.lstrip("- ").strip() for line in lines[:start])
    sql = "\n".join(lines[start:]).strip().rstrip(";").rstrip()
    if not sql:
        raise ValueError(f"query {name!r} has no SQL")
    return Query(name, sql, comment)
