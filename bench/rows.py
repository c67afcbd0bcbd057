"""Rows of bulk calls and files: ten columns of a person, as text and as the JSON of a contact."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

COLUMNS = {
    "Customer number": "externalCustomerId",
    "E-mail": "email",
    "Mobile": "sms",
    "First name": "firstName",
    "Last name": "lastName",
    "City": "town",
    "State": "region",
    "Post code": "postcode",
    "Language": "languageCode",
    "Customer key": "contactKey",
}
"""Header of the file, and what each column is."""
_FIRST_NAMES = (
    *("Олена", "Тарас", "Марія", "Андрій", "Оксана", "Іван", "Наталія", "Петро", "Ірина", "Юрій"),
    *("Anna", "Peter", "Maria", "Thomas", "Julia", "Daniel", "Laura", "Lukas", "Sophie", "Adam"),
    *("Zoë", "José", "Łucja", "Søren", "Chloé", "Jürgen", "Zofia", "Nikola", "Amélie", "Tomáš"),
)
_LAST_NAMES = ("Коваль", "Шевченко", "Novák", "Koval", "Müller", "Smith", "Бондаренко")
_TOWNS = (
    ("Київ", "Київська", "uk"),
    ("Львів", "Львівська", "uk"),
    ("Praha", "Středočeský", "cs"),
    ("München", "Bayern", "de"),
    ("Leeds", "Yorkshire", "en"),
)


class People(msgspec.Struct, frozen=True):
    """Who stands in a list: known people among new ones, evenly, each of them once."""

    known: Sequence[int]
    new: range
    salt: int
    """Another one, another first name."""

    def __len__(self) -> int:
        return len(self.known) + len(self.new)

    def numbers(self) -> Iterator[int]:
        """Of all rows, in order."""
        known, new, rows = iter(self.known), iter(self.new), len(self)
        for row in range(rows):
            is_known = (row + 1) * len(self.known) // rows > row * len(self.known) // rows
            yield next(known if is_known else new)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Cells in the order of `COLUMNS`."""
        for number in self.numbers():
            yield _cells(number, self.salt)

    def contacts(self) -> Iterator[dict[str, Any]]:
        """The same people as elements of POST /api/v1/contacts."""
        return map(_contact, self.rows())


def _cells(number: int, salt: int) -> tuple[str, ...]:
    """As `bench/people.py` spells the first three."""
    town, region, language = _TOWNS[number % 5]
    return (
        f"crm-{number:07}",
        f"person{number:07}@example.com",
        f"38050{number:07}",
        _FIRST_NAMES[(number + salt) % len(_FIRST_NAMES)],
        _LAST_NAMES[number % 7],
        town,
        region,
        f"{number % 100_000:05}",
        language,
        f"key-{number:07}",
    )


def _contact(cells: tuple[str, ...]) -> dict[str, Any]:
    external_id, email, phone, first, last, town, region, postcode, language, key = cells
    return {
        "externalCustomerId": external_id,
        "firstName": first,
        "lastName": last,
        "languageCode": language,
        "contactKey": key,
        "address": {"town": town, "region": region, "postcode": postcode},
        "channels": [{"type": "email", "value": email}, {"type": "sms", "value": phone}],
    }


def write_csv(path: Path, people: People) -> None:
    """A file as an office program saves it: UTF-8, commas, a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS) + "\r\n")
        rows = people.rows()
        while chunk := list(itertools.islice(rows, 10_000)):
            file.write("\r\n".join(map(",".join, chunk)) + "\r\n")


def read_blocks(path: Path, size: int) -> Iterator[bytes]:
    """The lines of such a file without its header, so many at a time."""
    with path.open("rb") as file:
        next(file)
        while lines := list(itertools.islice(file, size)):
            yield b"".join(lines)
