"""The options of a file as a caller says them, types checked (wire 11.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.identity.model import Notice
from kartoteka.identity.text import is_absent
from kartoteka.imports.mapping import Asked
from kartoteka.imports.members import (
    InvalidOptions,
    read_event_key,
    read_flag,
    read_groups,
    read_number,
    read_word,
)

MAX_MAP_ENTRIES = 2_000
MAX_UNKNOWN_MEMBERS = 20

_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_MEMBERS = frozenset(
    (
        *("unique", "fieldId", "map", "guess", "emptyValues", "header", "ignoreFirstLine"),
        *("restoreDeleted", "groupNames", "groupNamesExclude", "eventKeyForNewContacts"),
        *("dryRun", "updateExternalId", "encoding", "delimiter"),
    )
)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Options that mean the same whatever the file: as asked for, and as settled."""

    header: bool = True
    """The first record is no row."""
    empty_values: bool = False
    """Blanks of mapped columns empty the fields of known contacts."""
    restore_deleted: bool = False
    group_names: tuple[str, ...] = ()
    group_names_exclude: tuple[str, ...] = ()
    event_key_for_new_contacts: str | None = None
    dry_run: bool = False
    update_external_id: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    notices: tuple[Notice, ...] = ()


class AskedOptions(Kept, frozen=True, kw_only=True):
    """The options as asked for, types checked; what they mean depends on the file."""

    unique: str | None = None
    field_id: int | None = None
    map: Asked = None
    guess: bool = True
    """Columns that `map` does not speak of are recognised by their headings."""


def read_options(raw: object) -> AskedOptions:
    """The options out of JSON. Raises `InvalidOptions`, which names the member at fault.

    Members that nobody knows are notices: a caller's typing error should not go unseen. One that is
    spelled nearly right is an error.
    """
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise InvalidOptions("options", "The options must be a JSON object.")
    return AskedOptions(
        unique=read_word(raw, "unique"),
        field_id=read_number(raw.get("fieldId"), "fieldId"),
        map=_map(raw.get("map")),
        guess=read_flag(raw, "guess", default=True),
        header=_header(raw),
        empty_values=_empty_values(raw),
        restore_deleted=read_flag(raw, "restoreDeleted"),
        group_names=read_groups(raw, "groupNames"),
        group_names_exclude=read_groups(raw, "groupNamesExclude"),
        event_key_for_new_contacts=read_event_key(raw),
        dry_run=read_flag(raw, "dryRun"),
        update_external_id=read_flag(raw, "updateExternalId"),
        encoding=read_word(raw, "encoding", 40),
        delimiter=_delimiter(raw),
        notices=unknown_members(raw, _MEMBERS),
    )


def unknown_members(raw: Mapping[str, Any], known: frozenset[str]) -> tuple[Notice, ...]:
    """A notice for each member that is not known, up to twenty.

    Raises `InvalidOptions` for one that is nearly known: `dryrun` would write.
    """
    unknown = [name for name in raw if name not in known][:MAX_UNKNOWN_MEMBERS]
    meant = {name.casefold(): name for name in known}
    for name in unknown:
        if near := meant.get(name.replace("_", "").replace("-", "").casefold()):
            raise InvalidOptions(
                name[:60], f"There is no option {name[:60]}; it is spelled {near}."
            )
    return tuple(
        Notice("unknown_option", "This option is not known; it was ignored.", name[:60])
        for name in unknown
    )


def _map(raw: object) -> Asked:
    """An object or a list of texts and nulls."""
    if is_absent(raw) or raw == {}:
        return None
    if isinstance(raw, list | dict):
        if len(raw) > MAX_MAP_ENTRIES:
            raise InvalidOptions("map", f"map may have at most {MAX_MAP_ENTRIES} entries.")
        values = list(raw.values()) if isinstance(raw, dict) else raw
        if all(value is None or isinstance(value, str) for value in values):
            return raw
    raise InvalidOptions(
        "map", "map must be an object {column: field} or a list of fields in the order of columns."
    )


def _header(raw: Mapping[str, Any]) -> bool:
    """`ignoreFirstLine` and `header` say the same: the first line is no row."""
    header = read_flag(raw, "header", default=True)
    ignores = read_flag(raw, "ignoreFirstLine", default=header)
    if not is_absent(raw.get("header")) and header != ignores:
        raise InvalidOptions("header", "header and ignoreFirstLine contradict each other.")
    return ignores


def _empty_values(raw: Mapping[str, Any]) -> bool:
    value = raw.get("emptyValues")
    word = value.strip().lower() if isinstance(value, str) else None
    if word in ("overwrite", "keep"):
        return word == "overwrite"
    try:
        return read_flag(raw, "emptyValues")
    except InvalidOptions:
        raise InvalidOptions(
            "emptyValues", "emptyValues must be keep or overwrite (or false, true)."
        ) from None


def _delimiter(raw: Mapping[str, Any]) -> str | None:
    value = raw.get("delimiter")
    if value == "\t":
        return "\t"
    word = read_word(raw, "delimiter", 20)
    word = _DELIMITERS.get(word.lower(), word) if word else None
    if word is not None and (len(word) != 1 or word.isalnum() or word in "\"'\r\n"):
        raise InvalidOptions("delimiter", "delimiter must be one sign, such as , or ; or tab.")
    return word
