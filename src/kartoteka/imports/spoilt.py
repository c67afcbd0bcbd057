"""Cells that lost something before they came here: letters in the encoding, digits in a spreadsheet.

Two that were different look alike afterwards, so none of them may name a contact (decisions: the wrong
person is the greater harm).
"""

from __future__ import annotations

import re
from collections.abc import Callable

NOT_READABLE = "has a character that could not be read: the encoding may be another one"

_CUT_SHORT = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")


def refuse_cut_short(text: str, error: Callable[[str], Exception]) -> None:
    """Raises the error with its reason where the text is like 1.2E+11, the beginning of many numbers."""
    if _CUT_SHORT.fullmatch(text) is not None:
        raise error("is a number that a spreadsheet cut short")
