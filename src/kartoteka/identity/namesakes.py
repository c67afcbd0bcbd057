"""When two names cannot belong to one person (decisions D13)."""

from __future__ import annotations

import unicodedata


def names_contradict(one: str | None, other: str | None) -> bool:
    """Whether both names are there and differ by more than case and blanks (decisions D13)."""
    if one is None or other is None or one == other:
        return False
    left, right = _folded(one), _folded(other)
    return bool(left and right) and left != right


def _folded(name: str) -> str:
    without_blanks = "".join(name.split())
    # Unicode's canonical caseless match (D145): taken apart before and after the case is folded.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", without_blanks).casefold())
