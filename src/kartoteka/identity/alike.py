"""Do two contacts look like one person? A score, explained by field (part 6, "possible duplicates").

Each field says how much more likely it is that two records agree so when they are one person (a weight
in bits), in the way of Fellegi and Sunter; the sum becomes a probability. Only records that share a
*block* are compared, so a million contacts are not compared with each other.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from rapidfuzz.fuzz import ratio, token_set_ratio

LIKELY = 0.8
"""From this score on a pair is shown."""
_PRIOR = -8.0
"""Bits: of the pairs in a block one in some hundreds is one person, in a larger base one in more."""
_SMALL = 10_000
"""Contacts up to which a base is small: what is frequent is not known yet."""


_ALIKE, _DIFFERENT = 0.85, 0.65
"""From which likeness on a field agrees, and below which it contradicts."""
_LONG_NAME = 5
"""Longer names of mailboxes say something by themselves."""
_HOUSEHOLD = 0.5
"""The most that people of one household come to."""


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
    """What it has to share with another to be compared: none of them is needed by itself, and first and
    last name may stand in each other's place."""
    first, last, born, town, postcode = one.first, one.last, one.born, one.town, one.postcode
    street = "".join(sign for sign in one.address if sign.isalpha())
    name = one.email.split("@")[0]
    found = {
        f"n:{min(first, last)}:{max(first, last)}" if first and last else "",
        f"a:{one.address}:{town}" if len(one.address) > 5 and town else "",
        f"s:{street[:12]}:{postcode}" if len(street) > 5 and postcode else "",
        f"t:{street[:12]}:{town[:6]}" if len(street) > 5 and town else "",
        f"d:{born}:{postcode}" if born and postcode else "",
        f"p:{one.phone[-9:]}" if len(one.phone) >= 9 else "",
        f"e:{name}" if len(name) > _LONG_NAME else "",
        f"x:{first[:3]}:{last[:3]}:{town[:4]}" if first and last and town else "",
        f"y:{last[:5]}:{born[:4]}" if last and born else "",
    }
    for word in (first, last):
        if word and postcode:
            found.add(f"w:{word[:4]}:{postcode}")
        if word and born:
            found.add(f"b:{born}:{word[:1]}")
    return found - {""}


def _words(a: str, b: str) -> float:
    return JaroWinkler.similarity(a, b)


def _digits(a: str, b: str) -> float:
    if a == b:
        return 1.0
    return 0.85 if DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1 else 0.0


def _address(a: str, b: str) -> float:
    return max(token_set_ratio(a, b), ratio(a.replace(" ", ""), b.replace(" ", ""))) / 100


def _mailbox(a: str, b: str) -> float:
    if a == b:
        return 1.0
    name, other = a.split("@", maxsplit=1)[0], b.split("@", maxsplit=1)[0]
    if name == other and len(name) > _LONG_NAME:
        return 0.9
    return 0.9 if DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1 else 0.0


_FIELDS: tuple[tuple[str, str, Callable[[str, str], float], float, float], ...] = (
    # name in answers, attribute, likeness, bits when the same, bits when different
    ("firstName", "first", _words, 5.0, -3.0),
    ("lastName", "last", _words, 7.0, -4.0),
    ("email", "email", _mailbox, 9.0, -1.0),
    ("sms", "phone", _digits, 9.0, -1.0),
    ("town", "town", _words, 2.5, -1.0),
    ("address", "address", _address, 7.0, -1.5),
    ("postcode", "postcode", _digits, 4.0, -1.0),
    ("birthday", "born", _digits, 10.0, -3.5),
)
_COUNTED = ("first", "last", "town", "postcode")
"""Fields of which some values are so frequent that agreeing says little."""


class Frequencies:
    """How often names, towns and postcodes are, and how many contacts there are."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
        self.contacts = 0

    def add(self, records: Iterable[Record]) -> None:
        """Count these contacts too."""
        for one in records:
            self.contacts += 1
            for name in _COUNTED:
                self._counts[name][getattr(one, name)] += 1

    @property
    def prior(self) -> float:
        """Bits against any two contacts of a block."""
        return _PRIOR - max(math.log2(max(self.contacts, 1) / _SMALL), 0.0)

    def most(self, name: str, one: str, other: str, same: float) -> float:
        """The bits for agreeing: fewer where the value is frequent."""
        counts = self._counts.get(name)
        if counts is None:
            return same
        often = max(counts[one], counts[other], 1)
        return min(same, math.log2(max(self.contacts, _SMALL) / often))


_NOTHING = Frequencies()


def compare(
    a: Record, b: Record, frequencies: Frequencies = _NOTHING
) -> tuple[float, dict[str, float]]:
    """(score from 0 to 1, how alike each field is that both have)."""
    bits, fields = frequencies.prior, {}
    crossed = _crossed(a, b)
    for name, attribute, alike, same, different in _FIELDS:
        one, other = getattr(a, attribute), getattr(b, attribute)
        if not one or not other:
            continue
        likeness = alike(one, other)
        if attribute in ("first", "last"):
            likeness = max(likeness, crossed)
        fields[name] = round(likeness, 2)
        bits += _bits(likeness, frequencies.most(attribute, one, other, same), different)
    score = 1 / (1 + 2**-bits)
    return (min(score, _HOUSEHOLD) if _is_household(fields) else score), fields


def _is_household(fields: dict[str, float]) -> bool:
    """Another first name, and nothing that is one person's alone agrees: a family shares surname,
    address and phone."""
    if fields.get("firstName", 1.0) >= _DIFFERENT:
        return False
    return max(fields.get("email", 0.0), fields.get("birthday", 0.0)) < _ALIKE


def _crossed(a: Record, b: Record) -> float:
    """How alike the names are where one record has them in each other's place."""
    if not (a.first and a.last and b.first and b.last):
        return 0.0
    likeness = min(_words(a.first, b.last), _words(a.last, b.first))
    return 0.95 * likeness if likeness > _ALIKE else 0.0


def _bits(likeness: float, same: float, different: float) -> float:
    """All bits for the same, none for half alike, less than none for different."""
    if likeness >= _ALIKE:
        return same * (likeness - 0.75) / 0.25
    return different if likeness < _DIFFERENT else different / 2
