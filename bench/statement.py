"""What the database says after rows were carried out: outcomes, cards, identifiers, duplicates."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import psycopg

from bench.jobs.base import Checked
from bench.rows import People
from bench.setting import Setting
from kartoteka.db.named import load_queries
from kartoteka.imports.model import OUTCOMES

_QUERIES = load_queries("bench", "statement.sql")
_NAMES = list(OUTCOMES)


class Found(msgspec.Struct):
    """Counts; those of several looks can be added."""

    rows: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    wanted: Counter[str] = msgspec.field(default_factory=Counter)
    """Outcomes as they must be."""
    cards: int = 0
    identifiers: int = 0
    duplicates: int = 0

    def add(self, other: Found) -> None:
        self.rows += other.rows
        self.outcomes += other.outcomes
        self.wanted += other.wanted
        self.cards += other.cards
        self.identifiers += other.identifiers
        self.duplicates = other.duplicates

    def checked(self) -> Checked:
        """Every row has one outcome, its card holds what it said, nobody is there twice."""
        outcomes = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.items())
        right = self.rows == self.cards and self.identifiers == 3 * self.rows
        return Checked(
            f"{self.rows:,} rows, one outcome each ({outcomes}); {self.cards:,} cards hold what "
            f"their row said and are found by {self.identifiers:,} identifiers; "
            f"{self.duplicates} duplicates",
            right and self.outcomes == self.wanted and self.duplicates == 0,
        )


def look(
    setting: Setting,
    people: People,
    *,
    imports: list[int] | None = None,
    sessions: list[str] | None = None,
) -> Found:
    """Compare what these people's rows said with what is stored.

    `imports` or `sessions` name the statements, which hold these rows and no others.
    """
    params: dict[str, Any] = {"account_id": setting.account_id}
    wanted = Counter({"created": len(people.new), "updated": len(people.known)})
    found = Found(len(people), wanted=wanted)
    with psycopg.connect(setting.server.database_url) as connection:
        cursor = connection.cursor()
        if sessions is not None:
            cursor.execute(_QUERIES["imports_of"].sql, params | {"sessions": sessions})
            imports = [import_id for (import_id,) in cursor]
        cursor.execute(_QUERIES["count_outcomes"].sql, params | {"imports": imports})
        for outcome, rows, numbers, contacts in cursor:
            found.outcomes[_NAMES[outcome]] = rows if rows == numbers == contacts else -rows
        cursor.execute(_QUERIES["make_wanted"].sql)
        with cursor.copy(_QUERIES["copy_wanted"].sql) as copy:
            for cells in people.rows():
                copy.write_row(cells)
        cursor.execute(_QUERIES["analyze_wanted"].sql)
        found.cards = _count(cursor, "count_cards", params)
        found.identifiers = _count(cursor, "count_identifiers", params)
        found.duplicates = _count(cursor, "count_duplicates", params)
    return found


def _count(cursor: psycopg.Cursor[Any], name: str, params: dict[str, Any]) -> int:
    row = cursor.execute(_QUERIES[name].sql, params).fetchone()
    assert row is not None
    return int(row[0])
