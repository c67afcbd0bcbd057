"""Members of a JSON body or of the options of a file, read by type: wrong ones are named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.errors import InvalidRequest
from kartoteka.identity.text import is_absent

MAX_GROUPS = 500
MAX_GROUP_CHARS = 255
MAX_EVENT_KEY_CHARS = 100

_FORBIDDEN_IN_EVENT_KEY = re.compile(r"""[<>;’\\/|"`'^?!,]""")  # wire 2.9
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_DIGITS = re.compile(r"[0-9]{1,18}")


class InvalidOptions(InvalidRequest):
    """An option of the import is not valid."""

    code = "invalid_options"

    def __init__(self, member: str, message: str) -> None:
        """`message` may quote what the caller wrote as an option, never what stands in a row."""
        super().__init__(message, member=member)
        self.member = member


def read_flag(raw: Mapping[str, Any], member: str, default: bool = False) -> bool:
    """True or false; clients write 1 and "true" too, and null for what is unset."""
    value = raw.get(member)
    if isinstance(value, bool):
        return value
    if is_absent(value):
        return default
    flag = _FLAGS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if flag is None:
        raise InvalidOptions(member, f"{member} must be true or false.")
    return flag


def read_word(raw: Mapping[str, Any], member: str, max_chars: int = 255) -> str | None:
    """A text, None for null and blanks."""
    value = raw.get(member)
    if value is not None and not isinstance(value, str):
        raise InvalidOptions(member, f"{member} must be a text.")
    try:
        return clean_text(value, member, max_chars=max_chars)
    except InvalidValue as error:
        raise InvalidOptions(member, str(error)) from None


def read_number(value: object, member: str) -> int | None:
    """A positive integer, of a text of digits too; None for null and blanks."""
    if is_absent(value):
        return None
    number = None
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or not 0 < number < 2**63:
        raise InvalidOptions(member, f"{member} must be a positive integer.")
    return number


def read_groups(raw: Mapping[str, Any], member: str) -> tuple[str, ...]:
    """Names of lists, each once: a list of texts, or one text (wire 3.9)."""
    value = raw.get(member)
    found: dict[str, None] = {}
    for item in value if isinstance(value, list) else [value]:
        if item is not None and not isinstance(item, str):
            raise InvalidOptions(member, f"{member} must be a list of names.")
        try:
            name = clean_text(item, member, max_chars=MAX_GROUP_CHARS)
        except InvalidValue as error:
            raise InvalidOptions(member, str(error)) from None
        if name is not None:
            found[name] = None
    if len(found) > MAX_GROUPS:
        raise InvalidOptions(member, f"{member} may have at most {MAX_GROUPS} names.")
    return tuple(found)


def read_event_key(raw: Mapping[str, Any]) -> str | None:
    """`eventKeyForNewContacts`: up to 100 characters, without the signs of wire 2.9."""
    member = "eventKeyForNewContacts"
    key = read_word(raw, member, MAX_EVENT_KEY_CHARS)
    if key is not None and _FORBIDDEN_IN_EVENT_KEY.search(key):
        raise InvalidOptions(
            member, f"{member} may not contain any of < > ; ’ \\ / | \" ` ' ^ ? ! ,"
        )
    return key
