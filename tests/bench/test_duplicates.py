"""Possible duplicates on people whose truth is known (FEBRL), as the benchmark measures them."""

from __future__ import annotations

from bench.duplicates import Score, guide, load, ours, score, unsupervised


def test_ours_finds_the_same_people_and_nearly_nobody_else() -> None:
    one = load()[0]
    judged, alone = score(one, ours), score(one, guide)
    assert judged.precision >= 0.99
    assert judged.recall >= 0.98
    assert judged.f1 > alone.f1
    assert judged.f1 > score(one, unsupervised).f1


def test_figures_are_what_they_are_called() -> None:
    judged = Score(found=8, right=6, all_=12, seconds=0.0)
    assert (judged.precision, judged.recall, judged.f1) == (0.75, 0.5, 0.6)
