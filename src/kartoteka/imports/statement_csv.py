"""The statement of an import as CSV, for spreadsheets: API and command line give the same."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

from kartoteka.imports.model import RowOutcome

BOM = b"\xef\xbb\xbf"
"""Without it spreadsheets take UTF-8 for something else."""
COLUMNS = (
    *("row", "outcome", "contactId", "value", "mergedWith", "code", "reason", "field"),
    "warnings",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def statement_csv(pages: AsyncIterator[list[RowOutcome]]) -> AsyncGenerator[bytes, None]:
    """The whole statement in pieces: a mark of UTF-8, the header, a line a row."""
    yield BOM + _lines([COLUMNS])
    async for page in pages:
        yield _lines(_cells(one) for one in page)


def _cells(one: RowOutcome) -> tuple[str, ...]:
    merged = " ".join(map(str, one.merged_with))
    warnings = "; ".join(f"{notice.code}: {notice.message}" for notice in one.warnings)
    contact_id = "" if one.contact_id is None else str(one.contact_id)
    texts = (one.value, merged, one.code, one.reason, one.field, warnings)
    return (str(one.row), one.outcome, contact_id, *(safe_cell(text or "") for text in texts))


def safe_cell(text: str) -> str:
    """The text as a spreadsheet shows it: none is taken for a formula that does something."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
