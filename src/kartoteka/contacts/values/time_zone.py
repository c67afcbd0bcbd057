"""The time zone of a contact, by its name in the TZ database (wire 2.7)."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.identity.text import is_absent

FIELD = "timeZone"
MAX_CHARS = 64

_PADDED_OFFSET = re.compile(r"(etc/gmt[+-])0([0-9])")
# Not a zone: a mark for a clock that nobody has set.
_NOT_A_ZONE = "Factory"


def clean_time_zone(value: object) -> str | None:
    """The zone's name as the database spells it (`Etc/GMT+03`: `Etc/GMT+3`), None if absent.

    Raises `InvalidValue`.
    """
    if is_absent(value):
        return None
    if not isinstance(value, str):
        raise InvalidValue(FIELD, "must be a text")
    name = value.strip().lower() if len(value) <= MAX_CHARS else ""
    name = _PADDED_OFFSET.sub(r"\1\2", name)
    zone = _zones().get(name)
    if zone is None:
        raise InvalidValue(FIELD, "is not a time zone such as Europe/Kyiv")
    return zone


@cache
def _zones() -> dict[str, str]:
    """Every zone by its name in lower case.

    From the package tzdata and not from the machine, so that all machines know the same zones.
    """
    names = files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    return {name.lower(): name for name in names if name != _NOT_A_ZONE}
