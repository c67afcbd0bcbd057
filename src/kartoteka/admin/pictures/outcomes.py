"""Rows by outcome as one bar, each part as wide as its share."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

WIDTH = 1_000
LEAST = 6
"""What is there at all can be seen and clicked."""


class Part(msgspec.Struct, frozen=True):
    """One outcome."""

    outcome: str
    rows: int
    x: float
    width: float


def outcome_bar(counts: Mapping[str, int]) -> tuple[Part, ...]:
    """The parts from left to right; outcomes that no row has are left out."""
    present = {name: rows for name, rows in counts.items() if rows}
    total = sum(present.values())
    wide = {name: max(WIDTH * rows / total, LEAST) for name, rows in present.items()}
    scale = WIDTH / sum(wide.values()) if wide else 1
    parts: list[Part] = []
    x = 0.0
    for name, rows in present.items():
        width = wide[name] * scale
        parts.append(Part(name, rows, round(x, 2), round(width, 2)))
        x += width
    return tuple(parts)
