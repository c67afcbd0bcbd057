"""The list of `make mutate` cannot rot: each flip still names one place of the source."""

from __future__ import annotations

import pytest

from tests.mutate import MUTATIONS
from tests.mutate.mutation import Mutation

DECISIONS = {f"D{number}" for number in (*range(7, 15), *range(16, 19), 29)} | {"D10a"}


@pytest.mark.parametrize("one", MUTATIONS, ids=lambda one: f"{one.decision} {one.rule}")
def test_the_text_stands_exactly_once(one: Mutation) -> None:
    assert one.occurrences() == 1
    assert one.flipped != one.text


def test_every_decision_has_a_flip() -> None:
    assert {one.decision for one in MUTATIONS} >= DECISIONS


def test_no_rule_is_listed_twice() -> None:
    assert len({(one.decision, one.rule) for one in MUTATIONS}) == len(MUTATIONS)
