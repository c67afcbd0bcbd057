"""The line that says how far an import is."""

from __future__ import annotations

import pytest

from kartoteka.cli.progress import Progress, Step, line_of, words

RUNNING = Step("Importing", 450_000, 1_000_000, 12_345.6, 44)
FIGURES = " 45 %  450,000 of 1,000,000 rows  12,346 rows/s  0:00:44 left"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Step("Waiting", 0, None, None, None), "Waiting"),
        (Step("Counting rows", 0, None, None, None), "Counting rows"),
        (RUNNING, f"Importing  {FIGURES}"),
        (Step("Paused", 7, None, None, None), "Paused  7 rows"),
    ],
    ids=["waiting", "counting", "running", "paused"],
)
def test_what_is_known_is_said(step: Step, line: str):
    assert words(step) == line


@pytest.mark.parametrize(
    ("step", "columns", "line"),
    [
        (Step("Waiting", 0, None, None, None), 80, "Waiting"),
        (Step("Paused", 7, None, None, None), 80, "Paused  7 rows"),
        (
            Step("Importing", 1, 2, None, None),
            80,
            "Importing  [############------------]   50 %  1 of 2 rows",
        ),
        (RUNNING, 200, f"Importing  [##########--------------]  {FIGURES}"),
        (RUNNING, 86, f"Importing  [####------]  {FIGURES}"),
        (RUNNING, 79, f"Importing  {FIGURES}"),
        (RUNNING, 40, f"Importing  {FIGURES}"[:40]),
    ],
    ids=["waiting", "paused", "bar", "wide", "narrower", "no-room", "cut"],
)
def test_a_line_of_a_terminal_stays_one_line(step: Step, columns: int, line: str):
    assert line_of(step, columns) == line
    assert len(line) <= columns


def test_in_a_log_it_says_so_now_and_then(capsys: pytest.CaptureFixture[str]):
    with Progress() as progress:
        for done in range(100):
            progress.show(Step("Importing", done, 100, None, None))
    assert capsys.readouterr().err.count("\n") == 1


def test_a_log_does_not_repeat_that_it_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("kartoteka.cli.progress.EVERY_S", 0.0)
    with Progress() as progress:
        for label in ("Waiting", "Waiting", "Waiting", "Importing"):
            progress.show(Step(label, 0, None, None, None))
    assert capsys.readouterr().err == "Waiting\nImporting\n"
