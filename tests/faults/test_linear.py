"""The checker of histories finds what is wrong, and nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.linear import Operation, contact, find_order, mailbox, pair, token

NOBODY = ("nobody", None)


def write(value: str, sent: float, answered: float = float("inf")) -> Operation:
    return Operation("write", value, sent, answered, 200 if answered != float("inf") else None)


def read(found: Any, sent: float, answered: float) -> Operation:
    return Operation("read", None, sent, answered, [found])


WRONG = {
    "a lost update": [write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)],
    "a stale read": [write("a", 0, 1), read(None, 2, 3)],
    "a read that goes back": [
        write("a", 0, 1),
        write("b", 2, 9),
        read("b", 3, 4),
        read("a", 5, 6),
    ],
    "a write out of nowhere": [write("a", 0, 1), read("z", 2, 3)],
    "a removal that was forgotten": [
        write("a", 0, 1),
        Operation("remove", None, 2, 3, 200),
        read("a", 4, 5),
    ],
    "an answer that nobody is there": [
        write("a", 0, 1),
        Operation("remove", None, 2, 3, 404),
    ],
    "an unanswered write that comes and goes": [
        write("a", 0, 1),
        write("b", 2),
        read("b", 3, 4),
        read("a", 5, 6),
    ],
}


@pytest.mark.parametrize("history", WRONG.values(), ids=WRONG)
def test_it_finds_what_is_wrong(history: list[Operation]) -> None:
    assert find_order(history, NOBODY, contact) is None


RIGHT = {
    "two at once, either first": [write("a", 0, 5), write("b", 0, 5), read("a", 6, 7)],
    "an unanswered write that came late": [
        write("a", 0, 1),
        write("b", 2),
        read("a", 3, 4),
        read("b", 5, 6),
    ],
    "an unanswered write that never came": [write("a", 0, 1), write("b", 2), read("a", 8, 9)],
    "restored": [
        write("a", 0, 1),
        Operation("remove", None, 2, 3, 200),
        read(None, 4, 5),
        write("b", 6, 7),
        read("b", 8, 9),
    ],
    "erased, and erased again": [
        write("a", 0, 1),
        Operation("erase", None, 2, 3, 200),
        Operation("erase", None, 4, 5, 200),
        read(None, 6, 7),
    ],
}


@pytest.mark.parametrize("history", RIGHT.values(), ids=RIGHT)
def test_it_explains_what_is_right(history: list[Operation]) -> None:
    assert find_order(history, NOBODY, contact) is not None


def test_two_owners_of_one_token() -> None:
    taken = [Operation("take", ("A", 1), 0, 1, 200), Operation("take", ("B", 2), 2, 3, 200)]
    assert find_order([*taken, Operation("whose", None, 4, 5, [2])], None, token)
    assert find_order([*taken, Operation("whose", None, 4, 5, [1])], None, token) is None


def test_two_contacts_of_one_mailbox() -> None:
    made = [Operation("write", None, 0, 5, 7), Operation("write", None, 1, 6, 7)]
    assert find_order(made, None, mailbox)
    assert find_order([*made, Operation("write", None, 2, 7, 8)], None, mailbox) is None
    assert find_order([Operation("write", None, 0), *made], None, mailbox)


def test_a_pair_that_is_merged_and_parted() -> None:
    merged, undone = Operation("merge", None, 0, 1, 7), Operation("undo", 7, 2, 3, 200)
    assert find_order([merged, undone, Operation("read", None, 4, 5, [False])], None, pair)
    assert find_order([merged, undone, Operation("read", None, 4, 5, [True])], None, pair) is None
    assert find_order([merged, Operation("merge", None, 2, 3, 8)], None, pair) is None
    assert find_order([merged, undone, Operation("undo", 7, 4, 5, 200)], None, pair) is None
    assert find_order([merged, Operation("undo", 7, 2, 3, 409)], None, pair) is None
    never_answered = [Operation("merge", None, 0), Operation("undo", 9, 2, 3, 200)]
    assert find_order(never_answered, None, pair)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_what_was_done_one_after_the_other_is_explained_however_long_each_took(seed: int) -> None:
    chance = random.Random(seed)
    state, history = NOBODY, []
    for moment in range(12):
        what = chance.choice(["write", "read", "remove", "erase"])
        answer: Any = 200
        if what == "read":
            answer = [state[1] if state[0] == "live" else None]
        elif what != "write" and state[0] == "nobody":
            answer = 404
        sent, answered = moment - chance.random() * 3, moment + chance.random() * 3
        one = Operation(what, str(moment), sent, answered, answer)
        (state,) = contact(state, one) or (None,)  # type: ignore[assignment]
        history.append(one)
    chance.shuffle(history)
    order = find_order(history, NOBODY, contact)
    assert order is not None
    assert sorted(order, key=lambda one: one.sent) == sorted(history, key=lambda one: one.sent)
