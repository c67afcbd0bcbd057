"""Tests as one Python expression each: `holds_for` for writers, who ask twice a changed card.

What reads a column of the card is written out, and no call is made where there is no value; all else is
asked itself. The proof (tests/faults/test_segments_exact.py) compares what comes of it with `holds_for`
and with SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kartoteka.identity.model import Card
from kartoteka.segments.conditions.base import Subject, Test
from kartoteka.segments.conditions.membership import InSegment
from kartoteka.segments.conditions.operands import Takes
from kartoteka.segments.conditions.tree import Asked, Joined, Not

Quick = Callable[[Subject, Card], bool]
"""Of a contact and its card."""
_MOST_DEPTH = 30
"""Python nests brackets up to a limit; what is deeper is asked itself."""


def quick(test: Test) -> Quick:
    """The same answer as `holds_for`."""
    constants: dict[str, Any] = {"__builtins__": {}}
    expression = _Writing(constants).of(test, 0)
    # Words of this file and columns of the card; whatever a request said is a constant with a number.
    found: Quick = eval(f"lambda who, card: {expression}", constants)  # noqa: S307
    return found


class _Writing:
    def __init__(self, constants: dict[str, Any]) -> None:
        self._constants = constants

    def of(self, test: Test, depth: int) -> str:
        if depth < _MOST_DEPTH:
            if isinstance(test, Asked) and test.source.column is not None:
                return self._asked(test, f"card.{test.source.column}")
            if isinstance(test, Joined):
                word = " and " if test.is_all else " or "
                return f"({word.join(self.of(part, depth + 1) for part in test.parts)})"
            if isinstance(test, Not):
                return f"(not {self.of(test.part, depth + 1)})"
            if isinstance(test, InSegment):
                tree = self.of(test.tree, depth + 1)
                return tree if test.is_in else f"(not {tree})"
        return f"{self._constant(test.holds_for)}(who)"

    def _asked(self, test: Asked, value: str) -> str:
        operator = test.operator
        asked = f"{value} is not None"
        if operator.takes is not Takes.NOTHING:
            holds, operand = self._constant(operator.holds), self._constant(test.operand.value)
            asked += f" and {holds}({value}, {operand}, who.now)"
        return f"(not ({asked}))" if operator.negated else f"({asked})"

    def _constant(self, value: Any) -> str:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name
