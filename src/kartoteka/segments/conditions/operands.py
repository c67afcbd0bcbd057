"""What stands to the right of an operator: read from JSON, said in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import msgspec

from kartoteka.contacts.values.text import number_text
from kartoteka.segments.conditions.base import Place, Source, ValueType, whole
from kartoteka.segments.conditions.calendar import DAY, instant

MOST_VALUES = 1_000
MOST_CHARS = 5_000
MOST_DAYS = 36_500
MOST_DIGITS = 20
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?P<second>:\d{2}(?P<part>[.,]\d+)?)?"
    r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


class Takes(StrEnum):
    """What an operator wants as `value`."""

    NOTHING = "nothing"
    ONE = "one value"
    TWO = "a list of two values"
    SEVERAL = "a list of values"
    DAYS = "a number of days"
    DAYS_AHEAD = "a number of days ahead, 0 when left out"


class Operand(msgspec.Struct, frozen=True):
    """What an operator compares with."""

    value: Any
    json: Any
    """As it stands in JSON, in its one spelling."""
    words: str


class Span(msgspec.Struct, frozen=True):
    """A day, a minute, a second: from `begin`, before `end`."""

    begin: datetime
    end: datetime


class Days(msgspec.Struct, frozen=True):
    """A number of days of 24 hours."""

    days: int
    zone: str = "UTC"
    """In which an anniversary is a day."""

    @property
    def span(self) -> timedelta:
        return timedelta(days=self.days)


NOTHING = Operand(None, None, "")


def read_operand(place: Place, source: Source, takes: Takes) -> Operand:
    """The member `value` for an operator that takes this. Raises `InvalidCondition`."""
    given = place.value.get("value")
    if takes is Takes.NOTHING:
        if given is not None:
            raise place.wrong("must be left out: this operator takes none", "value")
        return NOTHING
    if takes in (Takes.DAYS, Takes.DAYS_AHEAD):
        return _days(place, given, takes)
    if takes is Takes.ONE:
        return _one(place, source, given, "value")
    if not isinstance(given, list) or not given:
        raise place.wrong("must be a list of values", "value")
    if takes is Takes.TWO:
        return _two(place, source, given)
    if len(given) > MOST_VALUES:
        raise place.wrong(f"has more than {MOST_VALUES} values", "value")
    several = [_one(place, source, one, f"value[{n}]") for n, one in enumerate(given)]
    different = {repr(one.value): one for one in several}.values()
    return Operand(
        tuple(one.value for one in different),
        [one.json for one in different],
        ", ".join(one.words for one in different),
    )


def _two(place: Place, source: Source, given: list[Any]) -> Operand:
    if len(given) != 2:
        raise place.wrong("must be a list of two values: the first and the last", "value")
    low, high = (_one(place, source, one, f"value[{n}]") for n, one in enumerate(given))
    first = low.value.begin if isinstance(low.value, Span) else low.value
    if first > (high.value.begin if isinstance(high.value, Span) else high.value):
        raise place.wrong("must have the smaller value first", "value")
    return Operand((low.value, high.value), [low.json, high.json], f"{low.words} and {high.words}")


def _days(place: Place, given: Any, takes: Takes) -> Operand:
    least, most = (0, 365) if takes is Takes.DAYS_AHEAD else (1, MOST_DAYS)
    if given is None and takes is Takes.DAYS_AHEAD:
        given = 0
    given = whole(given)
    if given is None or not least <= given <= most:
        raise place.wrong(f"must be a whole number of days from {least} to {most}", "value")
    words = f"{given} day{'' if given == 1 else 's'}"
    if takes is Takes.DAYS_AHEAD:
        words = f"in {words}" if given else "today"
    return Operand(Days(given, place.context.zone), given, words)


def _one(place: Place, source: Source, given: Any, member: str) -> Operand:
    return _READERS[source.type](place, source, given, member)


def _text(place: Place, source: Source, given: Any, member: str) -> Operand:
    """What is stored was read and cleaned before: it is taken as it stands."""
    text = given if place.context.is_stored else _clean(place, source, given, member)
    return Operand(text, text, f'"{text}"')


def _clean(place: Place, source: Source, given: Any, member: str) -> str:
    text = number_text(given) if type(given) in (int, float) else given
    if isinstance(text, str) and len(text) <= MOST_CHARS:
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise place.wrong("holds a character that cannot be stored", member)
        text = text.strip() if source.clean is None else source.clean(text)
    if not isinstance(text, str) or not text or len(text) > MOST_CHARS:
        raise place.wrong(
            f"must be a text of 1 to {MOST_CHARS} characters (to find what is blank ask is_empty)",
            member,
        )
    return text


def read_number(given: Any) -> Decimal | None:
    """A number of JSON, or a text of one."""
    digits = number_text(given) if type(given) in (int, float) else given
    try:
        number = Decimal(digits) if isinstance(digits, str) and len(digits) <= 60 else None
    except InvalidOperation:
        return None
    return None if number is None or not number.is_finite() else number


def _is_storable(number: Decimal) -> bool:
    """Neither larger nor finer than any number that is stored."""
    exponent = number.as_tuple().exponent
    return abs(number) <= 10**MOST_DIGITS and isinstance(exponent, int) and -exponent <= MOST_DIGITS


def _number(place: Place, _source: Source, given: Any, member: str) -> Operand:
    number = read_number(given)
    if number is None:
        raise place.wrong("must be a number", member)
    if not _is_storable(number):
        raise place.wrong(f"has more than {MOST_DIGITS} digits on a side of the point", member)
    text = f"{number:f}"
    if number == int(number):
        return Operand(number, int(number), text)
    return Operand(number, float(text) if Decimal(repr(float(text))) == number else text, text)


def _date(place: Place, _source: Source, given: Any, member: str) -> Operand:
    span = read_span(given, place.context.zone)
    if span is None:
        raise place.wrong(
            "must be a date such as 2026-01-31 or a time such as 2026-01-31T09:30", member
        )
    return Operand(span, given, given)


def read_span(given: Any, zone: str = "UTC") -> Span | None:
    """The day, minute, second or moment that a text names; without offset it is in that zone."""
    time = _TIME.fullmatch(given) if isinstance(given, str) and len(given) <= 40 else None
    if not isinstance(given, str) or not (time or _DATE.fullmatch(given)):
        return None
    try:
        shown = datetime.fromisoformat(given)
        begin = instant(shown, zone) if shown.tzinfo is None else shown.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    try:
        return Span(begin, instant(shown + DAY, zone) if time is None else begin + _long(time))
    except OverflowError:  # 9999-12-31, which stands for *never* elsewhere
        return Span(begin, datetime.max.replace(tzinfo=UTC))


def _long(time: re.Match[str]) -> timedelta:
    if time["second"] is None:
        return timedelta(minutes=1)
    return timedelta(seconds=1) if time["part"] is None else timedelta.resolution


def _choice(place: Place, source: Source, given: Any, member: str) -> Operand:
    known = {word.lower(): word for word in source.choices}
    word = known.get(given.lower()) if isinstance(given, str) else None
    if word is None:
        raise place.wrong(f"must be one of {', '.join(source.choices)}", member)
    return Operand(source.choices[word], word, word.replace("_", " "))


_READERS: dict[ValueType, Callable[[Place, Source, Any, str], Operand]] = {
    ValueType.TEXT: _text,
    ValueType.TAGS: _text,
    ValueType.NUMBER: _number,
    ValueType.DATE: _date,
    ValueType.CHOICE: _choice,
}
