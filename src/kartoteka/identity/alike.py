"""Do two contacts look like one person? A score, explained by field (part 6, "possible duplicates").

Each field says how much more likely it is that two records agree so when they are one person (a weight
in bits), in the way of Fellegi and Sunter; the sum becomes a probability. Only records that share a
*block* are compared, so a million contacts are not compared with each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import msgspec
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from rapidfuzz.fuzz import token_set_ratio

LIKELY = 0.8
"""From this score on a pair is shown."""
_PRIOR = -8.0
"""Bits: of the pairs in a block one in some hundreds is one person."""


class Record(msgspec.Struct, frozen=True):
    """What is compared of a contact; "" for what is not known."""

    contact_id: int
    first: str = ""
    last: str = ""
    email: str = ""
    phone: str = ""
    town: str = ""
    address: str = ""
    postcode: str = ""
    born: str = ""


def plain(text: str | None) -> str:
    """Lower case, without accents, signs and double blanks."""
    if not text:
        return ""
    folded = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(one for one in folded if not unicodedata.combining(one))
    return " ".join(re.sub(r"[^\w]+", " ", kept).split())


def blocks(one: Record) -> set[str]:
    """What it has to share with another to be compared: none of them is needed by itself."""
    first, last = one.first, one.last
    found = {
        f"n:{min(first, last)}:{max(first, last)}" if first and last else "",
        f"l:{last[:4]}:{one.postcode}" if last and one.postcode else "",
        f"f:{first[:4]}:{one.postcode}" if first and one.postcode else "",
        f"b:{one.born}:{last[:1]}" if one.born and last else "",
        f"c:{one.born}:{first[:1]}" if one.born and first else "",
        f"a:{one.address}:{one.town}" if len(one.address) > 5 and one.town else "",
        f"p:{one.phone[-9:]}" if len(one.phone) >= 9 else "",
        f"e:{one.email.split('@')[0]}" if len(one.email.split("@")[0]) > 5 else "",
        f"x:{first[:3]}:{last[:3]}:{one.town[:4]}" if first and last and one.town else "",
        f"y:{last[:5]}:{one.born[:4]}" if last and one.born else "",
    }
    return found - {""}


def _words(a: str, b: str) -> float:
    return JaroWinkler.similarity(a, b)


def _digits(a: str, b: str) -> float:
    if a == b:
        return 1.0
    return 0.85 if DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1 else 0.0


def _address(a: str, b: str) -> float:
    return token_set_ratio(a, b) / 100


_FIELDS: tuple[tuple[str, str, Callable[[str, str], float], float, float], ...] = (
    # name in answers, attribute, likeness, bits when the same, bits when different
    ("firstName", "first", _words, 5.0, -3.0),
    ("lastName", "last", _words, 7.0, -4.0),
    ("email", "email", _words, 9.0, -1.0),
    ("sms", "phone", _digits, 9.0, -1.0),
    ("town", "town", _words, 2.5, -1.0),
    ("address", "address", _address, 7.0, -1.5),
    ("postcode", "postcode", _digits, 4.0, -1.0),
    ("birthday", "born", _digits, 10.0, -3.5),
)


def compare(a: Record, b: Record) -> tuple[float, dict[str, float]]:
    """(score from 0 to 1, how alike each field is that both have)."""
    bits, fields = _PRIOR, {}
    swapped = a.first and a.last and (a.first, a.last) == (b.last, b.first) and a.first != a.last
    for name, attribute, alike, same, different in _FIELDS:
        one, other = getattr(a, attribute), getattr(b, attribute)
        if not one or not other:
            continue
        likeness = 0.95 if swapped and attribute in ("first", "last") else alike(one, other)
        fields[name] = round(likeness, 2)
        bits += _bits(likeness, same, different)
    return 1 / (1 + 2**-bits), fields


def _bits(likeness: float, same: float, different: float) -> float:
    """All bits for the same, none for half alike, less than none for different."""
    if likeness >= 0.8:
        return same * (likeness - 0.6) / 0.4
    return different if likeness < 0.65 else different / 2
