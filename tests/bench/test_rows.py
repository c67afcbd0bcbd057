"""The rows that bulk jobs are measured with, and what the table makes of the figures."""

from __future__ import annotations

import csv

import pytest

from bench.figures import Measured
from bench.jobs.all import BY_NAME
from bench.rows import COLUMNS, People, read_blocks, write_csv

PEOPLE = People(known=[5, 3, 8], new=range(100, 112), salt=1)


def test_everybody_stands_in_a_list_once_and_known_ones_come_evenly():
    numbers = list(PEOPLE.numbers())
    assert sorted(numbers) == sorted([5, 3, 8, *range(100, 112)])
    assert [row for row, number in enumerate(numbers) if number < 100] == [4, 9, 14]


def test_another_list_gives_a_person_another_first_name_and_nothing_else():
    again = People(PEOPLE.known, PEOPLE.new, salt=2)
    for cells, others in zip(PEOPLE.rows(), again.rows(), strict=True):
        differing = [name for name, a, b in zip(COLUMNS, cells, others, strict=True) if a != b]
        assert differing == ["First name"]


def test_the_floor_is_given_the_lines_of_the_file_without_its_header(tmp_path):
    path = tmp_path / "rows.csv"
    write_csv(path, PEOPLE)
    blocks = list(read_blocks(path, 4))
    assert [block.count(b"\n") for block in blocks] == [4, 4, 4, 3]
    with path.open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file)
    assert header == list(COLUMNS)
    assert [tuple(cells) for cells in records] == list(PEOPLE.rows())
    assert b"".join(blocks).decode() == path.read_bytes().decode().split("\n", 1)[1]


def test_calls_say_the_same_as_files():
    for contact, cells in zip(PEOPLE.contacts(), PEOPLE.rows(), strict=True):
        by_name = dict(zip(COLUMNS.values(), cells, strict=True))
        sent = {channel["type"]: channel["value"] for channel in contact["channels"]}
        said = {**contact, **contact["address"], **sent}
        assert {name: said[name] for name in by_name} == by_name


@pytest.mark.parametrize(
    ("name", "ours", "floor", "memory_mb", "misses"),
    [
        ("csv", 60, 100, 200, []),
        ("csv", 40, 100, 200, ["ratio"]),
        ("csv", 60, 100, 300, ["memory"]),
    ],
)
def test_a_broken_promise_about_rows_is_named(name, ours, floor, memory_mb, misses):
    measured = Measured(BY_NAME[name], 1, memory_mb=memory_mb)
    measured.ours.add(ours, [])
    measured.floor.add(floor, [])
    assert measured.misses == misses


def test_calls_beside_an_import_are_compared_by_their_slowest_hundredth():
    measured = Measured(BY_NAME["mixed"], 1)
    measured.ours.add(10, [1_000] * 95 + [9_000] * 5)
    measured.floor.add(10, [1_000] * 95 + [2_000] * 5)
    assert (measured.ratio, measured.misses) == (4.5, ["ratio"])
