"""How far an import is, in numbers that people wait by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kartoteka.contacts.model import RowRules, Unique
from kartoteka.imports.model import OUTCOMES, FileInfo, Import, Source, State
from kartoteka.imports.shown import import_members, percent_of, seconds_left

AT = datetime(2026, 1, 2, tzinfo=UTC)


def an_import(**members: Any) -> Import:
    given: dict[str, Any] = {
        "account_id": 1,
        "import_id": 12,
        "session_id": "abc",
        "source": Source.FILE,
        "state": State.RUNNING,
        "rules": RowRules(Unique("email")),
        "created_at": AT,
        "changed_at": AT,
        **members,
    }
    return Import(**given)


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [
        (0, None, None),
        (0, 10, 0.0),
        (1, 3, 33.3),
        (99_999, 100_000, 99.9),
        (3, 3, 100.0),
        (0, 0, 100),
    ],
)
def test_percent_is_a_hundred_only_at_the_end(done: int, total: int | None, percent: float | None):
    assert percent_of(an_import(done=done, total=total)) == percent


@pytest.mark.parametrize(
    ("members", "seconds"),
    [
        ({"total": 100, "done": 50, "rate": 10.0}, 5),
        ({"total": 100, "done": 50, "rate": 60.0}, 1),
        ({"total": 100, "done": 50, "rate": 0.0}, None),
        ({"total": 100, "done": 50}, None),
        ({"done": 50, "rate": 10.0}, None),
        ({"total": 100, "done": 50, "rate": 10.0, "state": State.PAUSED}, None),
        ({"total": 100, "done": 120, "rate": 10.0}, 0),
    ],
    ids=["rate", "rounded up", "stands", "no rate", "not counted", "paused", "more than counted"],
)
def test_time_left_is_told_only_when_it_is_known(members: dict[str, Any], seconds: int | None):
    assert seconds_left(an_import(**members)) == seconds


def test_all_outcomes_are_named_and_what_is_unset_is_left_out():
    members = import_members(an_import(counts={"created": 3}))
    assert members["counts"] == {name: 3 if name == "created" else 0 for name in OUTCOMES}
    assert not {"total", "percent", "rate", "error", "sameAs", "file", "fieldId"} & set(members)


def test_a_file_shows_how_it_is_read():
    members = import_members(
        an_import(
            file=FileInfo("/somewhere/1f", "people.csv", 10, "00"),
            options={
                "layout": {"format": "csv", "encoding": "utf-8", "delimiter": ";", "sheet": None},
                "file": {"columns": ["email", None], "guessed": [True, False]},
            },
            same_as=4,
        ),
        an_import(import_id=4, finished_at=AT),
    )
    assert members["file"] == {"name": "people.csv", "size": 10}
    assert (members["encoding"], members["delimiter"], members["locked"]) == ("utf-8", ";", False)
    assert members["mapping"] == [
        {"column": "A", "field": "email", "guessed": True},
        {"column": "B", "field": None, "guessed": False},
    ]
    assert members["sameAs"] == {"id": 4, "finishedAt": AT}
