"""Files that go, folders that go, disks that fill up: failed with a sentence, and on after repair."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kartoteka.imports.model import Import
from kartoteka.imports.pacing import ROWS_IN_A_BATCH
from tests.faults.imports import assert_whole, done_rows
from tests.faults.invariants import check
from tests.faults.runners import Works, open_works, until
from tests.rules.imports.files.made import workbook

TOTAL = 4 * ROWS_IN_A_BATCH


@pytest.fixture
async def works(database_url: str, tmp_path: Path) -> AsyncIterator[Works]:
    """Their folder may be taken away; the invariants are checked when the test has ended."""
    folder = tmp_path / "imports"
    folder.mkdir()
    async with open_works(database_url, folder) as opened:
        yield opened
        check(database_url)


def people(number: int) -> str:
    return "External ID\n" + "".join(f"P{one}\n" for one in range(number))


def path_of(one: Import) -> Path:
    assert one.file is not None
    return Path(one.file.path)


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    away = path.with_name("away")
    path.rename(away)
    yield
    away.rename(path)


@contextmanager
def a_folder_instead(path: Path) -> Iterator[None]:
    """What nobody can read, not even root, who runs tests."""
    with moved_away(path):
        path.mkdir()
        yield
        path.rmdir()


def the_folder_away(path: Path) -> object:
    return moved_away(path.parent)


GONE = {
    "the file": (moved_away, "The uploaded file is not in the import folder"),
    "the folder": (the_folder_away, "The uploaded file is not in the import folder"),
    "a folder in its place": (a_folder_instead, ""),
}


@pytest.mark.parametrize(
    ("what", "when"),
    [
        ("the file", "queued"),
        ("the file", "in the middle"),
        ("the folder", "in the middle"),
        ("a folder in its place", "queued"),
    ],
)
async def test_an_import_whose_file_goes_fails_with_a_sentence_and_goes_on_when_it_is_back(
    works: Works, what: str, when: str
):
    account, number = works.account.account_id, await works.file(people(TOTAL))
    takes, sentence = GONE[what]
    async with works.running():
        if when == "in the middle":
            await until(lambda: done_rows(works.url, number) > 0)
        await works.imports.pause(account, number)
    one = await works.find(number)
    with takes(path_of(one)):
        async with works.running():
            await works.imports.resume(account, number)
            one = await works.over(number)
            assert one.state == "failed"
            assert one.error
            assert one.error.startswith(sentence)
            assert str(works.imports.folder) not in one.error
            assert done_rows(works.url, number) == one.done
            other = await works.call([{"channels": [{"type": "email", "value": "a@x.example"}]}])
            assert (await works.over(other)).state == "finished"
    async with works.running():
        await works.imports.resume(account, number)
        one = await works.over(number)
    assert (one.state, one.error, one.counts["created"]) == ("finished", None, TOTAL)
    assert_whole(works.url, account, number, TOTAL)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of ours, or of a child, may grow larger: as on a full disk, but for its name."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def spreadsheet(number: int) -> bytes:
    """So many people with long names in an .xlsx, which is much smaller than they are as text."""
    cells: Callable[[str, str], str] = lambda one, two: "".join(  # noqa: E731
        f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in (one, two)
    )
    people = (f"<row>{cells(f'S{one}', 'Ann' * 12)}</row>" for one in range(number))
    head = f"<row>{cells('External ID', 'First name')}</row>"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return workbook(
        f"<worksheet xmlns='{main}'><sheetData>{head}{''.join(people)}</sheetData></worksheet>"
    )


async def test_a_spreadsheet_that_the_disk_has_no_room_for_goes_on_when_it_has(works: Works):
    number = await works.file(spreadsheet(3_000), name="people.xlsx")
    async with works.running():
        with room_for(50_000):
            one = await works.over(number)
        assert (one.state, one.done) == ("failed", 0)
        assert one.error == "The disk is full. Free space and resume; nothing is lost."
        assert [path.name for path in works.imports.folder.iterdir()] == [path_of(one).name]
        await works.imports.resume(one.account_id, number)
        one = await works.over(number)
    assert (one.state, one.counts["created"]) == ("finished", 3_000)
    assert list(works.imports.folder.iterdir()) == []
