"""Erased persons leave what imports still wait with: the rows of calls, and files (decisions D29).

An import that is paused or has failed may wait for weeks. After an erase its rows are read once more, and
those that name an erased person are taken out; the numbers of the others stay. A running import is not
disturbed: it carries such rows out as `suppressed`, and what it waits with goes when it is over.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from kartoteka.access.accounts import Accounts
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.model import ImportRow
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.transaction import Call, Transaction, transaction
from kartoteka.errors import KartotekaError
from kartoteka.identity.kinds import EMAIL, PHONE
from kartoteka.identity.model import Identifier, Key, Origin
from kartoteka.identity.rules import Person
from kartoteka.identity.store import Digest, hex_bytes
from kartoteka.imports.files import FileUnreadable, read_records
from kartoteka.imports.files.table import CSV
from kartoteka.imports.files_of import unlink
from kartoteka.imports.model import FileInfo, Import, RowFailed, Source
from kartoteka.imports.payload import (
    StoredFailure,
    StoredRow,
    decode_payload,
    encode_payload,
    number_of,
)
from kartoteka.imports.rows_of import FileGone, FileRows, open_file
from kartoteka.imports.store import QUERIES, Imports
from kartoteka.log import logger

ROWS_AT_ONCE = 5_000
GONE = "-"
"""Stands in every cell of an erased row: a value for nobody (D6), and no blank record, which would not
count as a row."""
_SUPPRESSED = RowFailed(0, "suppressed", "The row names an erased person.")


class Forgetting:
    """Takes erased persons out of what waits."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        digest: Digest,
        *,
        imports: Imports,
        accounts: Accounts,
        definitions: Definitions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._digest = digest
        self._imports = imports
        self._accounts = accounts
        self._definitions = definitions

    async def look_through(self) -> None:
        """Every import that waits and was not looked through since the last erase of its account."""
        for account_id, import_id in await self._database.fetch(QUERIES["imports_to_look_through"]):
            try:
                await self._look(await self._imports.find(account_id, import_id))
            except (KartotekaError, OSError) as error:  # it is tried again
                kind = type(error).__name__
                logger.warning("import_not_looked_through", import_id=import_id, error=kind)

    async def _look(self, one: Import) -> None:
        """Under the lock of the import's row: who goes on with it waits, and reads the new rows."""
        at = self._clock.now()
        key = {"account_id": one.account_id, "import_id": one.import_id}
        async with transaction(self._database) as tx:
            [waits] = await tx.run((QUERIES["lock_waiting_import"], key))
            if not waits:
                return
            is_call = one.source == Source.CALL
            calls, old = await (self._call(tx, one) if is_call else self._file(tx, one))
            await tx.commit(*calls, (QUERIES["import_looked_through"], {**key, "at": at}))
        if old is not None:
            await asyncio.to_thread(unlink, old)

    async def _call(self, tx: Transaction, one: Import) -> tuple[list[Call], None]:
        key = {"account_id": one.account_id, "import_id": one.import_id}
        [found] = await tx.run((QUERIES["read_payload"], key))
        if not found:
            return [], None
        rows = decode_payload(bytes(found[0][0]))
        gone = await self._erased(
            tx, one.account_id, ((number_of(row), _person(row)) for row in rows)
        )
        if not gone:
            return [], None
        kept = [_without(row) if number_of(row) in gone else row for row in rows]
        return [(QUERIES["replace_payload"], {**key, "rows": encode_payload(kept)})], None

    async def _file(self, tx: Transaction, one: Import) -> tuple[list[Call], Path | None]:
        assert one.file is not None
        path = Path(one.file.path)
        try:
            file = await open_file(one)
        except FileGone:
            return [], None
        except FileUnreadable:  # nobody can say whose rows it has, nor carry them out
            logger.warning("unreadable_file_dropped", import_id=one.import_id)
            return [], path
        account = await self._accounts.read(one.account_id)
        fields = dict(await self._definitions.read(one.account_id))
        origin = Origin(one.created_at, one.request_id, one.key_id, one.method)
        items = file.read(account.settings, fields, origin)
        people = ((item.number, _person(item)) for item in items)
        gone = await self._erased(tx, one.account_id, people)
        if not gone:
            return [], None
        new = _next_name(path)
        size = await asyncio.to_thread(_write_without, file, gone, new)
        info = msgspec.structs.replace(one.file, path=str(new), size=size)
        return [_file_call(one, info)], path

    async def _erased(
        self, tx: Transaction, account_id: int, people: Iterable[tuple[int, Person]]
    ) -> set[int]:
        """Numbers of the rows that are an erased person's, by the rule of D29."""
        gone: set[int] = set()
        rest = iter(people)
        while some := list(islice(rest, ROWS_AT_ONCE)):
            keys = list({key for _, person in some for key in _named(person)})
            if not keys:
                continue
            names = {
                "account_id": account_id,
                "kinds": pg_array([kind for kind, _ in keys]),
                "keys": pg_array([text for _, text in keys]),
                "digests": pg_array([hex_bytes(self._digest(account_id, key)) for key in keys]),
            }
            [found] = await tx.run((QUERIES["erased_among"], names))
            erased = {(kind, text) for kind, text in found}
            gone |= {number for number, person in some if not erased.isdisjoint(_named(person))}
        return gone


def _named(person: Person) -> list[Key]:
    """By what the row would be suppressed: its External ID, without one its e-mail and phone."""
    if person.external_id is not None:
        return [person.external_id.key]
    return [one.key for one in (person.email, person.phone) if one is not None]


def _person(row: StoredRow | StoredFailure | ImportRow | RowFailed) -> Person:
    """Whom the row names; of one that cannot be carried out its unique value, whatever that is."""
    if isinstance(row, (StoredRow, ImportRow)):
        return row.contact.person
    value = (row.failure if isinstance(row, StoredFailure) else row).value
    if value is None:
        return Person()
    return Person(
        email=Identifier(EMAIL.code, value.strip().lower()),
        phone=Identifier(PHONE.code, value.strip().lstrip("+")),
    )


def _without(row: StoredRow | StoredFailure) -> StoredFailure:
    return StoredFailure(msgspec.structs.replace(_SUPPRESSED, number=number_of(row)))


def _next_name(path: Path) -> Path:
    """Beside it, a name that no earlier look gave."""
    stem, _, number = path.name.rpartition(".without-")
    if stem and number.isdecimal():
        return path.with_name(f"{stem}.without-{int(number) + 1}")
    return path.with_name(f"{path.name}.without-1")


def _write_without(file: FileRows, gone: set[int], target: Path) -> int:
    """The same table as CSV with these rows emptied; its size."""
    target.unlink(missing_ok=True)
    with target.open("x", encoding="utf-8", newline="") as out:
        target.chmod(0o600)
        csv.writer(out).writerows(_emptied(file, gone))
    return target.stat().st_size


def _emptied(file: FileRows, gone: set[int]) -> Iterator[Sequence[str]]:
    header = int(file.options.header)
    for place, cells in enumerate(read_records(file.path, file.layout)):
        yield [GONE] * len(cells) if place - header + 1 in gone else cells


def _file_call(one: Import, info: FileInfo) -> Call:
    options: dict[str, Any] = {**one.options, "layout": msgspec.to_builtins(CSV)}
    return (
        QUERIES["replace_import_file"],
        {
            "account_id": one.account_id,
            "import_id": one.import_id,
            "file": msgspec.json.encode(info).decode(),
            "options": msgspec.json.encode(options).decode(),
        },
    )
