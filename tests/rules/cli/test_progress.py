"""The line that says how far an import is."""

from __future__ import annotations

import pytest

from kartoteka.cli.progress import Progress, Step, words


@pytest.mark.parametrize(
    ("step", "with_bar", "line"),
    [
        (Step("Waiting", 0, None, None, None), True, "Waiting"),
        (Step("Counting rows", 0, None, None, None), False, "Counting rows"),
        (
            Step("Importing", 450_000, 1_000_000, 12_345.6, 44),
            False,
            "Importing   45 %  450,000 of 1,000,000 rows  12,346 rows/s  0:00:44 left",
        ),
        (
            Step("Importing", 1, 2, None, None),
            True,
            "Importing  [############------------]   50 %  1 of 2 rows",
        ),
        (Step("Paused", 7, None, None, None), False, "Paused  7 rows"),
    ],
    ids=["waiting", "counting", "running", "bar", "paused"],
)
def test_what_is_known_is_said(step: Step, with_bar: bool, line: str):
    assert words(step, with_bar=with_bar) == line


def test_in_a_log_it_says_so_now_and_then(capsys: pytest.CaptureFixture[str]):
    with Progress() as progress:
        for done in range(100):
            progress.show(Step("Importing", done, 100, None, None))
    assert capsys.readouterr().err.count("\n") == 1
