"""What a word may mean that somebody types to find a contact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kartoteka.identity.kinds import EMAIL, PHONE, InvalidIdentifier, Region
from kartoteka.identity.kinds.phone import begun

_OF_A_NUMBER = re.compile(r"[+(]?[\d().\-–]+")
_NOWHERE = "\x01"
"""What no value begins with."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search, at most eight; a phone number written with blanks is one of them."""
    words: list[str] = []
    run: list[str] = []
    for word in [*text.split(), ""]:
        if word and _OF_A_NUMBER.fullmatch(word):
            run.append(word)
            continue
        digits = sum(char.isdigit() for part in run for char in part)
        words += ["".join(run)] if 6 <= digits <= 15 else run
        words += [word] if word else []
        run = []
    return tuple(words[:8])


def narrowest(words: Sequence[str]) -> tuple[str, list[str]]:
    """(the word that finds the fewest, the others): an id or address before a name, long before short."""

    def narrow(word: str) -> tuple[bool, bool, int]:
        return (":" in word, "@" in word or any(char.isdigit() for char in word), len(word))

    driver = max(words, key=narrow)
    others = list(words)
    others.remove(driver)
    return driver, others


def plain(word: str) -> str:
    """The word without `id:` or `extid:`."""
    name, colon, rest = word.partition(":")
    return rest if colon and name.lower() in ("id", "extid") else word


def meanings(word: str, region: Region) -> dict[str, Any]:
    """What the word may begin: where it cannot be meant so, something that nothing begins with."""
    name, colon, rest = word.partition(":")
    if colon and name.lower() == "id":
        return _asked(id=_number(rest) or 0)
    if colon and name.lower() == "extid":
        return _asked(external_id=rest)
    if "@" in word:
        return _asked(email_text=_email(word, region), external_id=word)
    digits = "".join(char for char in word if char.isdigit())
    if digits and len(digits) >= len(word.strip("+()- .")) - 2:
        return _asked(
            id=_number(word),
            phone_text=_phone(word, digits, region),
            external_id=word,
            email_text=word,
        )
    return _asked(name=word.lower(), external_id=word, email_text=word.lower())


def _asked(**given: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("name", "external_id", "email_text", "phone_text"), _NOWHERE)
    return {"id": None, **nothing, **{key: value for key, value in given.items() if value}}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _email(text: str, region: Region) -> str:
    try:
        return EMAIL.normalise(text, region) or text.lower()
    except InvalidIdentifier:
        return text.lower()


def _phone(text: str, digits: str, region: Region) -> str:
    try:
        return PHONE.normalise(text, region) or digits
    except InvalidIdentifier:
        return begun(text, region) or digits
