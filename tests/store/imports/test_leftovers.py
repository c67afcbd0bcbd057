"""What is kept of imports, and for how long: statements 30 days, uploads a day."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.clock import FixedClock
from kartoteka.contacts.model import RowRules, Unique
from kartoteka.db.database import Database
from kartoteka.errors import NotFound
from kartoteka.identity.model import Origin
from kartoteka.imports.leftovers import clean_up
from kartoteka.imports.model import FileInfo, RowFailed, Source
from kartoteka.imports.store import ImportNotFound, Imports

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = RowRules(unique=Unique("email"))
FAILED = [RowFailed(1, "no_email", "The row has no E-mail.", "email")]


class Archive:
    """Imports of one account, on a clock that moves when it is told."""

    def __init__(self, database: Database, account_id: int, folder: Path) -> None:
        self.database = database
        self.account_id = account_id
        self.clock = FixedClock(START)
        self.imports = Imports(database, self.clock, folder)

    async def call(self) -> int:
        """A bulk call that nobody has carried out yet."""
        one = await self.imports.start_call(self.account_id, self.origin(), RULES, [], FAILED)
        return one.import_id

    async def file(self, name: str) -> int:
        file = self.write(name)
        rules, origin = RULES, self.origin()
        one = await self.imports.start_file(
            self.account_id, origin, Source.FILE, file, rules, options={}
        )
        return one.import_id

    def origin(self) -> Origin:
        return Origin(self.clock.now(), "request", 1, "POST imports")

    def write(self, name: str, age: timedelta = timedelta(0)) -> FileInfo:
        """A file in the folder that was last written so long ago."""
        path = self.imports.folder / name
        path.write_text("Email\n")
        written = (self.clock.now() - age).timestamp()
        os.utime(path, (written, written))
        return FileInfo(str(path), "people.csv", 6, "0" * 64)

    async def later(self, passed: timedelta) -> None:
        """Time passes, and the house is cleaned."""
        self.clock.advance(passed)
        await clean_up(self.database, self.clock, self.imports.folder)

    async def is_there(self, import_id: int) -> bool:
        try:
            await self.imports.find(self.account_id, import_id)
        except ImportNotFound:
            return False
        return True

    def left(self) -> list[str]:
        """The files in the folder."""
        return sorted(path.name for path in self.imports.folder.iterdir())

    async def rows_left(self) -> int:
        tables = ("import", "import_payload", "import_batch", "import_row")
        counted = [await self.database.fetch(f"select count(*) from {one}") for one in tables]
        return sum(count for ((count,),) in counted)


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    account = await Accounts(database, FixedClock(START), "UA").create("alice")
    return Archive(database, account.account_id, tmp_path / "imports")


async def test_a_statement_is_kept_for_thirty_days_after_the_last_change(archive: Archive):
    number = await archive.call()
    await archive.later(timedelta(days=29))
    await archive.imports.cancel(archive.account_id, number)
    await archive.later(timedelta(days=29, hours=23))
    assert await archive.is_there(number)
    await archive.later(timedelta(hours=2))
    assert not await archive.is_there(number)
    assert await archive.rows_left() == 0


async def test_the_file_of_a_paused_import_goes_with_it(archive: Archive):
    number = await archive.file("paused")
    await archive.imports.pause(archive.account_id, number)
    await archive.later(timedelta(days=29))
    assert archive.left() == ["paused"]
    await archive.later(timedelta(days=2))
    assert archive.left() == []
    assert not await archive.is_there(number)


async def test_a_younger_import_stays(archive: Archive):
    old = await archive.call()
    await archive.later(timedelta(days=20))
    young = await archive.call()
    await archive.later(timedelta(days=15))
    assert (await archive.is_there(old), await archive.is_there(young)) == (False, True)


async def test_an_upload_waits_for_a_day(archive: Archive):
    file = archive.write("upload")
    token = await archive.imports.keep_upload(archive.account_id, file)
    await archive.later(timedelta(hours=23))
    assert (await archive.imports.find_upload(archive.account_id, token)).path == file.path
    await archive.later(timedelta(hours=2))
    assert archive.left() == []
    with pytest.raises(NotFound):
        await archive.imports.find_upload(archive.account_id, token)


async def test_what_a_crash_left_in_the_folder_is_swept_after_a_day(archive: Archive):
    await archive.file("needed")
    archive.write("needed.csv")
    archive.write("crashed.part")
    await archive.later(timedelta(hours=20))
    archive.write("arriving.part")
    await archive.later(timedelta(hours=5))
    assert archive.left() == ["arriving.part", "needed", "needed.csv"]
