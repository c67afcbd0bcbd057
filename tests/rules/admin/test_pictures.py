"""What goes where in the pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.admin.pictures.curve import curve, nice_top
from kartoteka.admin.pictures.identity_graph import MOST_MOMENTS, identity_graph
from kartoteka.admin.pictures.outcomes import WIDTH, outcome_bar
from kartoteka.contacts.identity_reads import HistoryRow

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number, action, rule, card, other=None, *identifiers, request=None):
    named = [{"kind": kind, "value": value} for kind, value in identifiers]
    at = START + timedelta(hours=number)
    return HistoryRow(
        number, at, action, rule, card, other, "addContact", request or f"r{number}", 1, named
    )


STORY = [
    row(1, "created", "new_contact", 1),
    row(2, "added", "given", 1, None, ("device", "d")),
    row(3, "created", "new_contact", 2, None, ("email", "b@x.example")),
    row(4, "added", "given", 1, None, ("email", "b@x.example")),
    row(5, "absorbed", "absorbed_contained", 1, 2, ("email", "b@x.example")),
    row(6, "moved", "newer_request", 9, 1, ("device", "d")),
    row(7, "dropped", "replaced", 1, None, ("email", "b@x.example")),
]


def test_requests_go_from_left_to_right():
    picture = identity_graph(STORY[::-1], 1)
    places = [moment.x for moment in picture.moments]
    assert places == sorted(set(places))
    assert len(places) == 7


def test_a_lane_begins_where_an_identifier_came_and_ends_where_it_went():
    picture = identity_graph(STORY[::-1], 1)
    x = [moment.x for moment in picture.moments]
    mine = picture.bands[0]
    device, email = mine.lanes["device", "d"], mine.lanes["email", "b@x.example"]
    assert (device.start, device.end) == (x[1], x[5])
    assert (email.start, email.end) == (x[3], x[6])


def test_a_merge_that_was_taken_back_is_drawn_so_on_both_cards():
    email = ("email", "b@x.example")
    survivors = [
        row(1, "created", "new_contact", 1),
        row(2, "absorbed", "merged_by_request", 1, 2, email),
        row(3, "added", "given", 1, None, ("device", "d")),
        row(4, "undone", "undone_by_request", 2, 1, ("device", "d")),
    ]
    picture = identity_graph(survivors[::-1], 1)
    x = [moment.x for moment in picture.moments]
    mine, other = picture.bands
    assert picture.joins[0].undone
    assert (other.undone, other.end) == (True, None)
    assert other.start < x[1]
    assert mine.lanes["device", "d"].end == x[3]
    assert other.lanes["device", "d"].start == x[3]
    absorbed = [row(1, "created", "new_contact", 2, None, email), survivors[1], survivors[3]]
    (alone,) = identity_graph(absorbed[::-1], 2).bands
    assert alone.end is None
    assert [dot.action for dot in alone.dots] == ["created", "absorbed", "undone"]


def test_an_absorbed_card_has_a_band_that_joins_with_its_rule():
    picture = identity_graph(STORY[::-1], 1)
    (join,) = picture.joins
    assert [band.contact_id for band in picture.bands] == [1, 2]
    assert (join.absorbed, join.survivor, join.rule) == (2, 1, "absorbed_contained")
    assert join.from_y == picture.bands[1].y
    assert join.to_y == picture.bands[0].y


def test_nothing_is_drawn_twice_in_one_place():
    picture = identity_graph(STORY[::-1], 1)
    rows = [band.y for band in picture.bands]
    rows += [lane.y for band in picture.bands for lane in band.lanes.values()]
    assert len(rows) == len(set(rows))
    assert max(rows) < picture.height


def test_of_a_long_history_the_newest_requests_are_drawn():
    rows = [row(n, "added", "given", 1, None, ("email", f"{n}@x.example")) for n in range(1, 101)]
    picture = identity_graph(rows[::-1], 1)
    assert len(picture.moments) == MOST_MOMENTS
    assert picture.left_out == 100 - MOST_MOMENTS
    assert picture.moments[-1].request_id == "r100"


def test_a_card_without_history_is_drawn_too():
    assert identity_graph([], 7).bands[0].contact_id == 7


def test_identifiers_of_erased_people_are_left_out():
    assert (
        not identity_graph([row(1, "created", "new_contact", 1, None, ("email", ""))], 1)
        .bands[0]
        .lanes
    )


@given(st.integers(0, 10**9))
def test_the_axis_ends_above_all_values_and_not_far_above(most):
    top = nice_top(most)
    assert top >= most
    assert top <= max(4 * most, 4) * 1.0001 or top <= 4


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=400))
def test_a_curve_stays_within_its_frame(quantities):
    points = [(date(2026, 1, 1) + timedelta(days=n), one) for n, one in enumerate(quantities)]
    drawn = curve(points)
    for pair in drawn.line.split():
        x, y = map(float, pair.split(","))
        assert drawn.left <= x <= drawn.right + 0.1
        assert 0 <= y <= drawn.bottom + 0.1
    assert drawn.days


@given(st.dictionaries(st.sampled_from(["created", "failed", "skipped"]), st.integers(0, 10**7)))
def test_the_bar_of_outcomes_is_full_and_shows_the_smallest(counts):
    parts = outcome_bar(counts)
    assert [part.outcome for part in parts] == [name for name, rows in counts.items() if rows]
    if parts:
        assert sum(part.width for part in parts) == pytest.approx(WIDTH, abs=0.1)
        assert min(part.width for part in parts) >= 5
