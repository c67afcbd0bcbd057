"""Reading and checking the settings of an account, from text and from JSON."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from kartoteka.access.account_settings import About, AccountSettings
from kartoteka.errors import InvalidRequest

Value = bool | int | str | tuple[str, ...]

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_DEFAULT = "default"
MAX_ENTRIES = 1_000
MAX_ENTRY_CHARS = 320


class InvalidSetting(InvalidRequest):
    """A setting of the account cannot have this value, or there is no such setting."""

    code = "invalid_setting"


class Setting(msgspec.Struct, frozen=True):
    """One setting with all that is declared about it."""

    name: str
    type: Any
    default: Value
    about: About

    @property
    def choices(self) -> tuple[str, ...]:
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def allowed(self) -> str:
        """The values it takes, in words that follow "must be"."""
        if self.choices:
            return " or ".join((", ".join(self.choices[:-1]), self.choices[-1]))
        if self.type is bool:
            return "true or false"
        return self.about.allowed or "a text"


def _declared() -> Iterable[Setting]:
    hints = get_type_hints(AccountSettings, include_extras=True)
    for field in msgspec.structs.fields(AccountSettings):
        plain, about = get_args(hints[field.name])
        yield Setting(field.name, plain, field.default, about)


SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _declared()}
"""By name, in the order of the decisions."""


def effective(chosen: Mapping[str, Any], region: str) -> AccountSettings:
    """The settings of an account: what it chose, else the defaults; `region` is KARTOTEKA_REGION.

    `chosen` comes from the database: what this version does not know or allow is left out, so that
    an older server can run beside a newer one.
    """
    values: dict[str, Any] = {"region": region}
    for name, value in chosen.items():
        try:
            values[name] = _from_json(find_setting(name), value)
        except InvalidSetting:
            continue
    return AccountSettings(**values)


def read_pairs(pairs: Iterable[str]) -> dict[str, Value | None]:
    """Changes out of `name=value` texts; None where the value is the word `default`.

    Raises `InvalidSetting`.
    """
    changes: dict[str, Value | None] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        setting = find_setting(name.strip())
        if not separator:
            raise InvalidSetting(f"Write {setting.name}=value; it must be {setting.allowed}.")
        changes[setting.name] = _from_text(setting, text.strip())
    return changes


def read_members(body: Any) -> dict[str, Value | None]:
    """Changes out of a JSON object; None where null says "the default again".

    Raises `InvalidSetting`.
    """
    if not isinstance(body, Mapping):
        raise InvalidSetting('Send a JSON object of settings, such as {"absorb": "anonymous"}.')
    changes: dict[str, Value | None] = {}
    for name, value in body.items():
        setting = find_setting(str(name))
        changes[setting.name] = None if value is None else _from_json(setting, value)
    return changes


def find_setting(name: str) -> Setting:
    """The setting of that name. Raises `InvalidSetting` that names near ones."""
    if (setting := SETTINGS.get(name)) is not None:
        return setting
    near = difflib.get_close_matches(name.lower().replace("-", "_"), SETTINGS, n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(SETTINGS)}."
    raise InvalidSetting(f"There is no setting {name[:60]!r}. {hint}")


def _from_text(setting: Setting, text: str) -> Value | None:
    if text.lower() == _DEFAULT:
        return None
    value: object = text
    if setting.type is bool:
        value = True if text.lower() in _YES else False if text.lower() in _NO else text
    elif setting.type is int and re.fullmatch(r"-?[0-9]{1,18}", text):
        value = int(text)
    elif get_origin(setting.type) is tuple:
        value = [entry for entry in re.split(r"[,\n]", text) if entry.strip()]
    return _from_json(setting, value)


def _from_json(setting: Setting, value: Any) -> Value:
    if get_origin(setting.type) is tuple:
        return _entries(setting, value)
    if setting.choices:
        valid = isinstance(value, str) and value in setting.choices
    elif setting.type is int:
        valid = type(value) is int and _within(setting.about, value)
    else:
        valid = type(value) is setting.type and _matches(setting.about, value)
    if not valid:
        raise _refused(setting)
    return value  # type: ignore[no-any-return]


def _entries(setting: Setting, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise _refused(setting)
    entries = tuple(dict.fromkeys(one.strip() for one in value if one.strip()))
    if not all(_matches(setting.about, one) for one in entries):
        raise _refused(setting)
    if len(entries) > MAX_ENTRIES or any(len(one) > MAX_ENTRY_CHARS for one in entries):
        raise InvalidSetting(
            f"{setting.name} takes at most {MAX_ENTRIES} entries of {MAX_ENTRY_CHARS} characters."
        )
    return entries


def _within(about: About, value: int) -> bool:
    return not (
        (about.least is not None and value < about.least)
        or (about.most is not None and value > about.most)
    )


def _matches(about: About, value: object) -> bool:
    return about.pattern is None or re.fullmatch(about.pattern, str(value)) is not None


def _refused(setting: Setting) -> InvalidSetting:
    """Names the setting and what it takes, never the value: it may be somebody's address."""
    return InvalidSetting(f"{setting.name} must be {setting.allowed}.")


class SettingRow(msgspec.Struct, frozen=True):
    """One line of the generated table in the docs."""

    name: str
    values: str
    default: str
    meaning: str
    consequence: str
    source: str


def setting_rows() -> list[SettingRow]:
    """Every setting of an account, in the order of the decisions."""
    return [
        SettingRow(
            one.name,
            one.allowed,
            "KARTOTEKA_REGION" if one.name == "region" else as_text(one.default),
            one.about.meaning,
            one.about.consequence,
            one.about.source,
        )
        for one in SETTINGS.values()
    ]


def as_text(value: Value) -> str:
    """A value as `kartoteka accounts set` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
