"""Is there an order that explains every answer? A checker of concurrent histories, after Wing and Gong.

A history has the operations on one object, each with the moments when it was sent and answered. It is
linearizable if they can be put in an order in which every answer is what the object would have said, and
nobody comes before somebody who was answered before they were sent. An operation without an answer may
have been carried out at any time after it was sent, or never.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import msgspec

FOR_EVER = float("inf")


class Operation(msgspec.Struct, frozen=True):
    """What one client asked, and what it was answered; `answer` None: it never was."""

    what: str
    value: Any
    sent: float
    answered: float = FOR_EVER
    answer: Any = None

    @property
    def is_answered(self) -> bool:
        return self.answered != FOR_EVER


Step = Callable[[Any, Operation], "tuple[Hashable, ...] | None"]
"""(the state behind it,) if the object may answer so in this state, else None."""


def find_order(history: Sequence[Operation], start: Hashable, step: Step) -> list[Operation] | None:
    """An order that explains every answer; None: there is none."""
    operations = sorted(history, key=lambda one: one.sent)
    all_answered = sum(1 << place for place, one in enumerate(operations) if one.is_answered)
    seen: set[tuple[int, Hashable]] = {(0, start)}
    way: list[tuple[int, Hashable, list[int], int]] = [(0, start, _next(operations, 0), -1)]
    while way:
        done, state, candidates, _ = way[-1]
        if done & all_answered == all_answered:
            return [operations[place] for _, _, _, place in way[1:]]
        if not candidates:
            way.pop()
            continue
        place = candidates.pop()
        after = step(state, operations[place])
        if after is None:
            continue
        key = (done | 1 << place, after[0])
        if key not in seen:
            seen.add(key)
            way.append((*key, _next(operations, key[0]), place))
    return None


def _next(operations: Sequence[Operation], done: int) -> list[int]:
    """Which may come next: sent before any of the rest was answered; the last one is tried first."""
    rest = [place for place in range(len(operations)) if not done >> place & 1]
    if not rest:
        return []
    first_answer = min(operations[place].answered for place in rest)
    able = [place for place in rest if operations[place].sent <= first_answer]
    return sorted(able, key=lambda place: operations[place].answered, reverse=True)


# What the objects of an account are.


def contact(state: Any, one: Operation) -> tuple[Hashable, ...] | None:
    """The contact of an External ID: ("nobody" | "live" | "removed" | "erased", first name).

    What is erased and named again is somebody new, without what the former one had.
    """
    status, name = state
    if one.what == "write":
        return (("live", one.value),)
    if one.what == "read":
        expected = name if status == "live" else None
        return (state,) if one.answer == [expected] else None
    known = 404 if status == "nobody" else 200
    if one.is_answered and one.answer != known:
        return None
    if one.what == "erase":
        return (state if status == "nobody" else ("erased", None),)
    return (("removed", name) if status == "live" else state,)


def token(state: Any, one: Operation) -> tuple[Hashable, ...] | None:
    """An exclusive identifier: whose it is, by contact id. `value` is (External ID, contact id)."""
    if one.what == "take":
        return (one.value[1],)
    return (state,) if one.answer == [state] else None


def mailbox(state: Any, one: Operation) -> tuple[Hashable, ...] | None:
    """The contact of an e-mail that comes without an External ID: one for ever, made by the first call.

    "made": by a call that was never answered, so that nobody knows its id yet.
    """
    if one.what == "write":
        if not one.is_answered:
            return (state or "made",)
        return (one.answer,) if state in (None, "made", one.answer) else None
    found = one.answer[0]
    if state == "made" and found is not None:
        return (found,)
    return (state,) if found == state else None


def pair(state: Any, one: Operation) -> tuple[Hashable, ...] | None:
    """Two contacts that are merged and parted: None, or the id of the merge that stands.

    "made": by a call that was never answered, so that nobody knows its id yet. The `value` of an undo is
    the id of the merge; answers are 200, or 409 for what is not so any more.
    """
    if one.what == "read":
        return (state,) if one.answer == [state is not None] else None
    if one.what == "merge":
        if not one.is_answered:
            return (state or "made",)
        if one.answer == 409:
            return None if state is None else (state,)
        return (one.answer,) if state is None else None
    is_that = state in (one.value, "made")
    if one.answer == 409:
        return None if state == one.value else (state,)
    if not one.is_answered:
        return (None if is_that else state,)
    return (None,) if is_that else None
