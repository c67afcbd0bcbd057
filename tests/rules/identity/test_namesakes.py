"""Two names contradict when both are there and differ, case and blanks aside (decisions D13)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.identity.namesakes import names_contradict


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("Alice", "Bob", True),
        ("Alice", "ALICE", False),
        ("Anna Maria", " annamaria ", False),
        ("José", "Jose\u0301", False),
        ("Weiß", "WEISS", False),
        ("Alice", None, False),
        (None, None, False),
        ("Alice", " ", False),
        ("Anna", "Hanna", True),
    ],
)
def test_names_contradict_when_both_are_there_and_differ(
    one: str | None, other: str | None, contradict: bool
) -> None:
    """Case and blanks aside; who says nothing contradicts nobody (decisions D13)."""
    assert names_contradict(one, other) is contradict
    assert names_contradict(other, one) is contradict


@given(st.text(max_size=20))
def test_a_name_never_contradicts_its_own_spellings(name: str) -> None:
    assert not names_contradict(name, f" {name} ")
    assert not names_contradict(name, unicodedata.normalize("NFD", name))


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x52F, categories=["Lu"])))
def test_a_name_in_capitals_is_the_same_name(name: str) -> None:
    assert not names_contradict(name, name.lower())
