"""Cells that changed before they came here: letters in the encoding, digits in a spreadsheet.

Two that were different may look alike afterwards; then none of them may name a contact (decisions: the
wrong person is the greater harm).
"""

from __future__ import annotations

import re
from collections.abc import Callable

NOT_READABLE = "has a character that could not be read: the encoding may be another one"

_WITH_FRACTION = re.compile(r"\s*\+?[0-9]+\.0\s*")
_CUT_SHORT = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")


def refuse_cut_short(text: str, error: Callable[[str], Exception]) -> None:
    """Raises the error with its reason where the text is like 1.2E+11, the beginning of many numbers."""
    if _CUT_SHORT.fullmatch(text) is not None:
        raise error("is a number that a spreadsheet cut short")


def whole(cell: str) -> str:
    """The digits of a whole number without the `.0` of programs that keep columns as fractions.

    Of a phone it would be one more digit: another number, where numbers differ in length.
    """
    is_fraction = ".0" in cell and _WITH_FRACTION.fullmatch(cell) is not None
    return cell.strip()[:-2] if is_fraction else cell
