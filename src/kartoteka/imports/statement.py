"""What the rows of one batch came to, as the statements that keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.model import Command, ImportRow, Outcome
from kartoteka.db.arrays import pg_array
from kartoteka.db.named import Query
from kartoteka.db.transaction import Call
from kartoteka.errors import KartotekaError
from kartoteka.identity.history import RULES
from kartoteka.identity.model import Notice, Resolution
from kartoteka.identity.store import columns
from kartoteka.imports.model import OUTCOME_CODES, OUTCOMES, RowFailed
from kartoteka.imports.seen import Seen
from kartoteka.intake.rehearsal import FIRST_ID

Item = ImportRow | RowFailed
Answers = Sequence[tuple[Command, "Outcome | Exception"]]
Line = tuple[int, int, int | None, str | None, str | None]
"""(row number, outcome code, contact id, unique value, notes as JSON)"""

_LINE = ("row_number", "outcome", "contact_id", "value", "notes")
_encode = msgspec.json.Encoder().encode
_NOT_KEPT = ("failed", "suppressed")
"""Outcomes whose value is not kept: no contact could take it along when it is erased (D29)."""


SECOND = Notice(
    "second_row_of_contact",
    "A row before names the same contact; where they differ, this one counts.",
)


class Batch:
    """Consecutive rows of an import; the engine may carry them out in one transaction or in several.

    `closing` is what it calls with each transaction's answers: the rows that were refused while they
    were read join the transaction of the row before them, so that every range is whole.
    """

    def __init__(
        self,
        queries: Mapping[str, Query],
        account_id: int,
        import_id: int,
        items: Sequence[Item],
        seen: Seen,
    ) -> None:
        """`seen`: contacts of the batches before."""
        self._seen = seen
        self._first_rows: dict[int, int] = {}
        self.items = items
        self.rows = [one for one in items if isinstance(one, ImportRow)]
        self._queries = queries
        self._key = {"account_id": account_id, "import_id": import_id}
        self._failed = [one for one in items if isinstance(one, RowFailed)]

    def closing(self, answers: Answers, at: datetime) -> list[Call]:
        """Statements for these answers, of consecutive rows of this batch, and the failures between."""
        first, last = self._range(answers)
        lines = [self._line(one, answer) for one, answer in answers if isinstance(one, ImportRow)]
        lines += [_failure(one) for one in self._failed if first <= one.number <= last]
        lines.sort()
        counts = [0] * len(OUTCOMES)
        for line in lines:
            counts[line[1]] += 1
        done = {**self._key, "first_row": first, "last_row": last, "at": at}
        rows = columns(_LINE, lines, as_json=frozenset())
        return [
            (self._queries["insert_import_batch"], {**done, "counts": pg_array(counts)}),
            (self._queries["insert_import_rows"], {**self._key, **rows}),
        ]

    def remember(self) -> None:
        """The batch is committed: later rows that come to the same contacts are second ones."""
        self._seen.add(self._first_rows)

    def _line(self, row: ImportRow, answer: Outcome | Exception) -> Line:
        if isinstance(answer, Exception):
            return _failure(_failed(row, answer))
        resolution = answer.resolution
        outcome = outcome_of(resolution)
        value = None if outcome in _NOT_KEPT else row.value or _external_id(row)
        notes = notes_of(resolution, outcome)
        contact_id = resolution.contact_id
        if contact_id is not None and self._is_second(contact_id, row.number):
            notes["warnings"] = [*notes.get("warnings", ()), SECOND]
        text = _encode(notes).decode() if notes else None
        if contact_id is not None and contact_id >= FIRST_ID:
            contact_id = None  # of a dry run: the contact would be created (D27)
        return (row.number, OUTCOME_CODES[outcome], contact_id, value, text)

    def _is_second(self, contact_id: int, number: int) -> bool:
        """Whether a row before this one came to the contact; asked again when a batch runs again."""
        first = self._first_rows.setdefault(contact_id, number)
        if first > number:
            self._first_rows[contact_id] = number
        return first < number or contact_id in self._seen

    def _range(self, answers: Answers) -> tuple[int, int]:
        """The rows that these answers speak for, up to where the next ones begin."""
        numbers = [one.number for one, _ in answers if isinstance(one, ImportRow)]
        whole = (self.items[0].number, self.items[-1].number)
        if not numbers:
            return whole
        first = whole[0] if numbers[0] == self.rows[0].number else numbers[0]
        if numbers[-1] == self.rows[-1].number:
            return first, whole[1]
        following = next(one.number for one in self.rows if one.number > numbers[-1])
        return first, following - 1


def _failure(one: RowFailed) -> Line:
    notes: dict[str, Any] = {"code": one.code, "reason": one.message}
    if one.field is not None:
        notes["field"] = one.field
    return (one.number, OUTCOME_CODES["failed"], None, None, _encode(notes).decode())


def _external_id(row: ImportRow) -> str | None:
    one = row.contact.person.external_id
    return None if one is None else one.value


def _failed(row: ImportRow, error: Exception) -> RowFailed:
    """The error in words; of an unexpected one only that it happened: its words may hold values."""
    if isinstance(error, KartotekaError):
        code = "no_id" if error.code == "no_identifier" and row.contact_id else error.code
        text = "No contact has this id." if code == "no_id" else error.message
        return RowFailed(row.number, code, text, row.rules.unique.name)
    return RowFailed(row.number, "not_storable", "The database refuses a value of this row.")


def outcome_of(resolution: Resolution) -> str:
    """The one outcome that the statement gives the row."""
    return "merged" if resolution.absorbed else resolution.outcome


def notes_of(resolution: Resolution, outcome: str) -> dict[str, Any]:
    """What the statement adds to the outcome: with whom, why, what was dropped."""
    notes: dict[str, Any] = {}
    if absorbed := [one for one in resolution.absorbed if one < FIRST_ID]:
        notes["mergedWith"] = absorbed
    if outcome == "skipped" and resolution.rule is not None:
        notes["code"], notes["reason"] = resolution.rule, _sentence(RULES[resolution.rule])
    if outcome == "suppressed":
        notes["code"] = "suppressed"
        notes["reason"] = "The row names a person whose data was erased."
    if warnings := _distinct(resolution.warnings):
        notes["warnings"] = warnings
    return notes


def _sentence(rule: str) -> str:
    """What a rule says, for people who do not know the numbers of decisions before it."""
    text = rule.partition(": ")[2]
    return f"{text[:1].upper()}{text[1:]}."


def _distinct(warnings: Sequence[Notice]) -> list[Notice]:
    return list(dict.fromkeys(warnings))
