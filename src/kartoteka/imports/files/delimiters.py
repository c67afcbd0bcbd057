"""Which character stands between the cells of a CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable

from kartoteka.imports.files.model import FileUnreadable

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_CHARACTERS = tuple(DELIMITERS.values())
_RECORDS = 50
_NOTHING = (0.0, 0)


def delimiter_named(given: str) -> str:
    """The character that was meant: itself, its name, or `\\t`. Raises `FileUnreadable`."""
    character = DELIMITERS.get(given.strip().lower(), "\t" if given == "\\t" else given)
    if character not in _CHARACTERS:
        names = ", ".join(DELIMITERS)
        raise FileUnreadable(f"The delimiter must be one of: {names}.")
    return character


def announced(line: str) -> str | None:
    """The delimiter that a first line `sep=;` names, as Excel writes and reads it."""
    text = line.strip("\r\n\ufeff \"'")
    if len(text) == 5 and text.lower().startswith("sep=") and text[4] in _CHARACTERS:
        return text[4]
    return None


def detect_delimiter(lines: Iterable[str]) -> str:
    """The delimiter that gives the first records the most alike numbers of cells."""
    first = [line for line in lines if line.strip()]
    if first and (named := announced(first[0])) is not None:
        return named
    best = max(_CHARACTERS, key=lambda character: _quality(first, character))
    if _quality(first, best) == _NOTHING:
        # One column: whatever splits none of its texts.
        text = "".join(first)
        return min(_CHARACTERS, key=text.count)
    return best


def _quality(lines: list[str], delimiter: str) -> tuple[float, int]:
    """(share of records as wide as the header, width); nothing if the header is one cell."""
    widths = [width for width in _widths(lines, delimiter) if width]
    if not widths or widths[0] == 1:
        return _NOTHING
    # Rows of some exports end in a delimiter more than the header has.
    usual, times = Counter(widths).most_common(1)[0]
    alike = widths.count(widths[0])
    return max(alike, times if usual > 1 else 0) / len(widths), widths[0]


def _widths(lines: list[str], delimiter: str) -> Iterable[int]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for _, record in zip(range(_RECORDS), reader, strict=False):
            yield len(record)
    except csv.Error:
        return
