"""Every row has exactly one outcome, however the engine splits a batch (imports/statement.py)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import ImportRow, Outcome
from kartoteka.errors import NoIdentifier
from kartoteka.identity.model import Notice, Resolution
from kartoteka.imports.model import OUTCOME_CODES, OUTCOMES, RowFailed
from kartoteka.imports.run import Range, batches, first_undone
from kartoteka.imports.seen import Seen
from kartoteka.imports.statement import SECOND, Batch, Item, notes_of, outcome_of
from kartoteka.imports.store import QUERIES
from kartoteka.intake.rehearsal import FIRST_ID
from tests.rules import stories
from tests.rules.stories import START

BY_EMAIL = stories.rules("email")
LINE = {"email": "a@x.ua", "x": "A"}


def batch_of(made: Sequence[Item], seen: Seen | None = None) -> Batch:
    return Batch(QUERIES, 1, 2, made, seen or Seen())


def item(number: int, failed: bool) -> Item:
    if failed:
        return RowFailed(number, "no_email", "The row has no e-mail.", "email")
    return stories.row(BY_EMAIL, number=number, email=f"{number}@x.ua")


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    """Consecutive rows, some of them refused while they were read; blank ones are left out."""
    kinds = draw(st.lists(st.sampled_from(["row", "row", "failed", "blank"]), max_size=24))
    start = draw(st.integers(1, 1000))
    made = [
        item(number, kind == "failed")
        for number, kind in enumerate(kinds, start)
        if kind != "blank"
    ]
    return made or [item(start, True)]


def carried_out(batch: Batch, rows: Sequence[ImportRow], poisoned: set[int], rng: Any) -> list[Any]:
    """What `closing` is given, as the engine gives it: halves until whoever is at fault is alone."""
    at_fault = [row for row in rows if row.number in poisoned]
    splits = rows and (at_fault or rng.random() < 0.2) and len(rows) > 1
    if splits:
        middle = len(rows) // 2
        first = carried_out(batch, rows[:middle], poisoned, rng)
        return first + carried_out(batch, rows[middle:], poisoned, rng)
    answers = [(row, _answer(row, bool(at_fault))) for row in rows]
    return [batch.closing(answers, START)]


def _answer(row: ImportRow, poisoned: bool) -> Any:
    if poisoned:
        return ValueError("a value that the database refuses")
    if row.number % 5 == 0:
        return NoIdentifier()
    return Outcome(Resolution(row.number, "created", rule="new_contact"))


def column(params: dict[str, Any], name: str) -> list[Any]:
    """What PostgreSQL is sent: its arrays are spelled like JSON here, but for the brackets. It fills
    up the empty one of a column of NULLs."""
    values = list(msgspec.json.decode(b"[" + params[name].text[1:-1] + b"]"))
    return values or [None] * len(column(params, "row_number"))


@settings(max_examples=300, deadline=None)
@given(items(), st.sets(st.integers(1, 1030)), st.integers(0, 2**32))
def test_ranges_are_whole_and_every_row_has_one_line(
    made: list[Item], poisoned: set[int], seed: int
) -> None:
    batch = batch_of(made)
    calls = carried_out(batch, batch.rows, poisoned, random.Random(seed))
    ranges: list[tuple[int, int]] = []
    numbers: list[int] = []
    for (_, done), (_, rows) in calls:
        ranges.append((done["first_row"], done["last_row"]))
        mine = column(rows, "row_number")
        assert all(done["first_row"] <= number <= done["last_row"] for number in mine)
        assert sum(column(done, "counts")) == len(mine)
        outcomes = column(rows, "outcome")
        assert column(done, "counts") == [outcomes.count(code) for code in range(len(OUTCOMES))]
        numbers += mine
    assert numbers == [one.number for one in made]
    assert (ranges[0][0], ranges[-1][1]) == (made[0].number, made[-1].number)
    assert all(after[0] == before[1] + 1 for before, after in pairwise(ranges))


def test_a_batch_without_rows_is_one_range() -> None:
    batch = batch_of([item(4, True), item(6, True)])
    ((_, done), (_, rows)) = batch.closing([], START)
    assert (done["first_row"], done["last_row"]) == (4, 6)
    assert column(rows, "row_number") == [4, 6]


# What is done is not done again.

RANGES = st.lists(st.booleans(), max_size=30)


@settings(max_examples=200, deadline=None)
@given(RANGES, st.integers(1, 7))
def test_what_has_its_outcome_is_left_out(done: list[bool], size: int) -> None:
    """Batches are consecutive: none reaches over rows that another run did."""
    everything = [item(number, False) for number in range(1, len(done) + 1)]
    ranges = [Range(number, number) for number, is_done in enumerate(done, 1) if is_done]
    made = list(batches(iter(everything), ranges, lambda: size))
    numbers = [[one.number for one in batch] for batch in made]
    assert [number for batch in numbers for number in batch] == [
        number for number, is_done in enumerate(done, 1) if not is_done
    ]
    for batch in numbers:
        assert batch == list(range(batch[0], batch[0] + len(batch)))
        assert len(batch) <= size
    first = first_undone(ranges)
    assert all(done[: first - 1])
    assert first == len(done) + 1 or not done[first - 1]


# The words of the statement.


@pytest.mark.parametrize(
    ("resolution", "outcome", "notes"),
    [
        (Resolution(1, "created"), "created", {}),
        (Resolution(1, "unchanged"), "unchanged", {}),
        (Resolution(1, "updated", absorbed=[3, 4]), "merged", {"mergedWith": [3, 4]}),
        (Resolution(1, "created", absorbed=[3]), "merged", {"mergedWith": [3]}),
        (
            Resolution(1, "skipped", rule="removed_stays_removed"),
            "skipped",
            {
                "code": "removed_stays_removed",
                "reason": "The row names a removed contact and restoring was not asked for.",
            },
        ),
        (
            Resolution(None, "suppressed"),
            "suppressed",
            {"code": "suppressed", "reason": "The row names a person whose data was erased."},
        ),
        (
            Resolution(1, "updated", warnings=[Notice("a", "b"), Notice("a", "b")]),
            "updated",
            {"warnings": [Notice("a", "b")]},
        ),
    ],
    ids=["created", "unchanged", "merged", "new and merged", "skipped", "suppressed", "warnings"],
)
def test_outcome_and_notes(resolution: Resolution, outcome: str, notes: dict[str, Any]) -> None:
    assert outcome_of(resolution) == outcome
    assert notes_of(resolution, outcome) == notes


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NoIdentifier(), "no_identifier"),
        (UnicodeEncodeError("utf-8", "secret", 0, 1, "x"), "not_storable"),
        (KeyError("secret"), "not_storable"),
    ],
    ids=["refused", "not text", "a rule that fails"],
)
def test_a_failed_row_says_why_and_nothing_of_the_person(answer: Exception, code: str) -> None:
    row = stories.row(BY_EMAIL, number=3, **LINE)
    batch = batch_of([row])
    ((_, done), (_, rows)) = batch.closing([(row, answer)], START)
    (said,) = column(rows, "notes")
    assert msgspec.json.decode(said)["code"] == code
    assert "secret" not in said
    assert "a@x.ua" not in said
    assert (column(rows, "value"), column(rows, "contact_id")) == ([None], [None])
    assert column(done, "counts")[OUTCOME_CODES["failed"]] == 1


def test_a_row_by_an_id_that_nobody_has_says_so() -> None:
    row = stories.row(stories.rules("id"), number=3, contact_id=99)
    ((_, _), (_, rows)) = batch_of([row]).closing([(row, NoIdentifier())], START)
    (said,) = column(rows, "notes")
    assert msgspec.json.decode(said)["code"] == "no_id"


VALUES = [
    ("unique", LINE, "created", "a@x.ua"),
    ("external id", {"x": "A"}, "created", "A"),
    ("suppressed", LINE, "suppressed", None),
    ("skipped", LINE, "skipped", "a@x.ua"),
]


@pytest.mark.parametrize(
    ("said", "outcome", "value"), [one[1:] for one in VALUES], ids=[one[0] for one in VALUES]
)
def test_the_value_of_a_line(said: dict[str, str], outcome: str, value: str | None) -> None:
    """D29: not kept where no contact could take it along when it is erased."""
    row = stories.row(BY_EMAIL, number=3, **said)
    answer = Outcome(Resolution(None if outcome == "suppressed" else 7, outcome))
    ((_, _), (_, rows)) = batch_of([row]).closing([(row, answer)], START)
    assert column(rows, "value") == [value]


# Two rows of one contact.


def told(batch: Batch, *contacts: int) -> list[bool]:
    """Whether the rows, which came to these contacts, are called second ones."""
    answers = [
        (row, Outcome(Resolution(contact_id, "updated")))
        for row, contact_id in zip(batch.rows, contacts, strict=True)
    ]
    ((_, _), (_, rows)) = batch.closing(answers, START)
    notes = column(rows, "notes")
    return [SECOND.code in (note or "") for note in notes]


def test_a_second_row_of_a_contact_is_told() -> None:
    """A file's duplicates: in order, the last wins, and the statement says so."""
    seen = Seen()
    first = batch_of([item(1, False), item(2, False), item(3, False)], seen)
    assert told(first, 10, 11, 10) == [False, False, True]
    assert told(first, 10, 11, 10) == [False, False, True]  # carried out again
    first.remember()
    assert told(batch_of([item(4, False), item(5, False)], seen), 11, 12) == [True, False]


def test_a_dry_run_tells_no_id_of_a_contact_that_would_be_new() -> None:
    """D27; that it would be merged is told all the same."""
    row = stories.row(BY_EMAIL, **LINE)
    answer = Outcome(Resolution(FIRST_ID + 1, "updated", absorbed=[FIRST_ID, 7]))
    ((_, _), (_, rows)) = batch_of([row]).closing([(row, answer)], START)
    assert (column(rows, "contact_id"), column(rows, "outcome")) == (
        [None],
        [OUTCOME_CODES["merged"]],
    )
    (said,) = column(rows, "notes")
    assert msgspec.json.decode(said)["mergedWith"] == [7]
