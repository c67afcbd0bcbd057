"""Which column of a file is which field: guessed from the headings, corrected by the caller."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from kartoteka.imports.fields import (
    FIELDS,
    Definitions,
    custom_name,
    definition_of,
    field_named,
    heading_key,
    heading_ranks,
    label_of,
)
from kartoteka.imports.headings import PREFIXES
from kartoteka.imports.members import InvalidOptions

MAX_COLUMNS = 1_000
Asked = Mapping[str, str | None] | Sequence[str | None] | None
"""The option `map`: by column, by position, or nothing."""

_IGNORE = frozenset(("", "ignore", "-", "null", "none"))
_LETTERS = re.compile(r"[A-Za-z]{1,3}")
_NUMBER = re.compile(r"[0-9]{1,4}")
_PREFIX_KEYS = sorted((heading_key(one) for one in PREFIXES), key=len, reverse=True)
# A custom field's name counts less than the usual headings, a prefix less than both.
_CUSTOM_KEY, _CUSTOM_NAME, _PREFIXED = 50, 60, 100
_SHOWN = 30
_LOOKS_LIKE_A_VALUE = re.compile(r"@|[0-9]{5}")


class ColumnMap(msgspec.Struct, frozen=True):
    """The field of every column, None for those left out; and which of them were guessed."""

    columns: tuple[str | None, ...]
    guessed: tuple[bool, ...]


def column_letter(index: int) -> str:
    """What a spreadsheet calls the column with that index, from 0: A, B … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """The index of column `AB`, from 0."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def guess_columns(header: Sequence[str], definitions: Definitions) -> list[str | None]:
    """The field of each column by its heading, each field once: the surest heading gets it."""
    return _guess(header, definitions, frozenset())


def _guess(
    header: Sequence[str], definitions: Definitions, taken: frozenset[str]
) -> list[str | None]:
    """The same, without fields that have their column already."""
    customs = _custom_ranks(definitions)
    found: list[tuple[int, int, str]] = []
    for index, heading in enumerate(header):
        if (guess := _rank(heading, customs)) is not None and guess[1] not in taken:
            found.append((guess[0], index, guess[1]))
    columns: list[str | None] = [None] * len(header)
    used: set[str] = set()
    for _, index, name in sorted(found):
        if name not in used:
            columns[index] = name
            used.add(name)
    return columns


def _rank(heading: str, customs: Mapping[str, tuple[int, str]]) -> tuple[int, str] | None:
    """(rank, field); a custom field's `LIST.FIELD` comes before everything."""
    path = heading.strip().strip("%").lower()
    if path in customs:
        return customs[path]
    key, ranks = heading_key(heading), _heading_ranks()
    own = [one for one in (ranks.get(key), customs.get(f"={key}")) if one is not None]
    if own:
        return min(own)
    for prefix in _PREFIX_KEYS:
        rest = key.removeprefix(prefix)
        # Whose name or number it is matters there: a customer's name is the whole of it.
        if rest != key and rest not in ("name", "id") and rest in ranks:
            return _PREFIXED + ranks[rest][0], ranks[rest][1]
    return None


@cache
def _heading_ranks() -> dict[str, tuple[int, str]]:
    return heading_ranks()


def _custom_ranks(definitions: Definitions) -> dict[str, tuple[int, str]]:
    """Custom fields by path and `fields.12`; by `=` and key or name where only one has it."""
    ranks: dict[str, tuple[int, str]] = {}
    ambiguous: set[str] = set()
    for one in definitions.values():
        if one.readonly:
            continue
        name = custom_name(one)
        ranks[one.path.lower()] = ranks[name] = (-1, name)
        words = ((_CUSTOM_KEY, one.key), (_CUSTOM_NAME, one.name))
        for rank, word in words:
            key = f"={heading_key(word)}"
            if key in ranks and ranks[key][1] != name:
                ambiguous.add(key)
            elif key != "=":
                ranks.setdefault(key, (rank, name))
    return {key: rank for key, rank in ranks.items() if key not in ambiguous}


def map_columns(
    asked: Asked, first: Sequence[str], *, header: bool, guess: bool, definitions: Definitions
) -> ColumnMap:
    """The mapping asked for; columns it does not speak of are guessed if the file has a header.

    `first` is the first record. Raises `InvalidOptions` for what the file or the account does not
    have, and for two columns of one field.
    """
    if len(first) > MAX_COLUMNS:
        raise InvalidOptions("map", f"A file may have at most {MAX_COLUMNS} columns.")
    said = _said(asked, _Columns(first, header), definitions)
    taken = frozenset(name for name in said.values() if name is not None)
    _check_single(said, definitions)
    guesses: list[str | None] = [None] * len(first)
    if header and guess and not isinstance(asked, list | tuple):
        guesses = _guess(first, definitions, taken)
        guesses = [None if index in said else name for index, name in enumerate(guesses)]
    columns = tuple(said.get(index, guesses[index]) for index in range(len(first)))
    return ColumnMap(columns, tuple(name is not None for name in guesses))


def _said(asked: Asked, columns: _Columns, definitions: Definitions) -> dict[int, str | None]:
    """Field by index of column, as the option `map` says."""
    if asked is None:
        return {}
    if isinstance(asked, Mapping):
        said: dict[int, str | None] = {}
        for key, value in asked.items():
            index, name = _entry(key, value, columns, definitions)
            if index in said and said[index] != name:
                raise InvalidOptions("map", f"map names the column {columns.shown(index)} twice.")
            said[index] = name
        return said
    if len(asked) > len(columns.first):
        raise InvalidOptions(
            "map", f"map lists {len(asked)} columns, the file has {len(columns.first)}."
        )
    return {
        index: None if _is_ignored(word) else _field(str(word), definitions)
        for index, word in enumerate(asked)
    }


def _entry(
    key: str, value: str | None, columns: _Columns, definitions: Definitions
) -> tuple[int, str | None]:
    """`{column: field}`; `{field: column}` where the key is no column but the value is."""
    index = columns.find(key)
    if index is not None:
        if _is_ignored(value):
            return index, None
        name = field_named(str(value), definitions)
        if name is not None:
            return index, _writable(name, definitions)
    other = None if value is None else columns.find(value)
    name = field_named(key, definitions)
    if other is not None and name is not None:
        return other, _writable(name, definitions)
    if index is None:
        # Of two words that are fields the first one was meant as a column: so it is documented.
        is_swapped = name is not None and value is not None and not _is_ignored(value)
        is_swapped = is_swapped and field_named(str(value), definitions) is None
        missing = str(value) if is_swapped else key
        raise InvalidOptions("map", f"There is no column {_quoted(missing)}; {columns.named()}.")
    return index, _field(str(value), definitions)


def _is_ignored(value: str | None) -> bool:
    return value is None or value.strip().lower() in _IGNORE


def _field(word: str, definitions: Definitions) -> str:
    name = field_named(word, definitions)
    if name is None:
        known = [*FIELDS, *(one.path for one in definitions.values())]
        more = "" if len(known) <= 60 else " …"
        raise InvalidOptions(
            "map", f"There is no field {_quoted(word)}; there are {', '.join(known[:60])}{more}."
        )
    return _writable(name, definitions)


def _writable(name: str, definitions: Definitions) -> str:
    definition = definition_of(name, definitions)
    if definition is not None and definition.readonly:
        raise InvalidOptions("map", f"The field {definition.path} cannot be written.")
    return name


def _check_single(said: Mapping[int, str | None], definitions: Definitions) -> None:
    """Tokens, devices and cookies may have several columns, all else one (decisions D5)."""
    used: dict[str, int] = {}
    for index, name in said.items():
        if name is None or (name in FIELDS and FIELDS[name].several):
            continue
        if name in used:
            letters = f"{column_letter(used[name])} and {column_letter(index)}"
            label = label_of(name, definitions)
            raise InvalidOptions("map", f"Columns {letters} are both mapped to {label}.")
        used[name] = index


class _Columns:
    """The columns of a file, by heading, letter and number."""

    def __init__(self, first: Sequence[str], header: bool) -> None:
        self.first = first
        self._by_heading: dict[str, list[int]] = {}
        if header:
            for index, heading in enumerate(first):
                if key := heading.strip().casefold():
                    self._by_heading.setdefault(key, []).append(index)

    def find(self, word: str) -> int | None:
        """The index; None if there is no such column. Raises `InvalidOptions` if there are two."""
        text = word.strip()
        found = self._by_heading.get(text.casefold(), [])
        if len(found) > 1:
            letters = " and ".join(column_letter(index) for index in found)
            raise InvalidOptions(
                "map", f"Columns {letters} have the same heading: name one by its letter."
            )
        if found:
            return found[0]
        index = -1
        if _LETTERS.fullmatch(text):
            index = column_index(text)
        elif text.isascii() and _NUMBER.fullmatch(text):
            index = int(text) - 1
        return index if 0 <= index < len(self.first) else None

    def shown(self, index: int) -> str:
        """The column's letter, with its heading where there is one."""
        heading = self.first[index].strip() if self._by_heading else ""
        letter = column_letter(index)
        # Where the first line is no header after all, a person's values stand there.
        if not heading or len(heading) > 60 or _LOOKS_LIKE_A_VALUE.search(heading):
            return letter
        return f"{letter} ({heading})"

    def named(self) -> str:
        """The file's columns, for whoever named another one."""
        if not self.first:
            return "the file has no columns"
        names = [self.shown(index) for index in range(min(len(self.first), _SHOWN))]
        more = "" if len(self.first) <= _SHOWN else f" … {column_letter(len(self.first) - 1)}"
        return f"the file has {', '.join(names)}{more}"


def _quoted(word: str) -> str:
    return f"“{word[:60]}”"
