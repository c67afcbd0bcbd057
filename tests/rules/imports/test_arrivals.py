"""Files in the import folder: whole or not there, under names of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from kartoteka.imports.arrivals import Arrival, FileTooLarge, NoRoom, clean_name, link


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_what_is_left_before_its_end_leaves_nothing(tmp_path: Path):
    async with Arrival(tmp_path) as arrival:
        await arrival.write(b"x" * 2_000_000)
        assert [name[-5:] for name in left_in(tmp_path)] == [".part"]
    assert left_in(tmp_path) == []


async def test_a_file_beyond_its_limit_is_refused(tmp_path: Path):
    async with Arrival(tmp_path, max_bytes=10) as arrival:
        await arrival.write(b"x" * 10)
        with pytest.raises(FileTooLarge):
            await arrival.write(b"x")
    assert left_in(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
async def test_a_full_disk_is_said_in_words(tmp_path: Path):
    async with Arrival(tmp_path) as arrival:
        full = Path("/dev/full").open("wb")  # noqa: ASYNC230, SIM115  closed by the arrival
        arrival._file.close()
        arrival._file = full
        await arrival.write(b"x" * 10)
        with pytest.raises(NoRoom):
            await arrival.finish("a.csv")
    assert left_in(tmp_path) == []


async def test_a_linked_file_outlives_the_other_name(tmp_path: Path):
    path, other = tmp_path / "one", tmp_path / "other"
    path.write_bytes(b"rows")
    link(path, other)
    path.unlink()
    assert other.read_bytes() == b"rows"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("people.csv", "people.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ann\\клієнти.xlsx", "клієнти.xlsx"),
        ("a\x00b\n\u202e.csv", "ab.csv"),
        ("  spaced.csv ", "spaced.csv"),
        ("", "file"),
        ("..", ".."),
        ("/", "file"),
        ("n" * 300 + ".csv", "n" * 251 + ".csv"),
        ("й", "й"),
    ],
    ids=[
        *("plain", "folders", "windows", "control characters", "blanks", "nothing", "dots"),
        *("only a slash", "long", "decomposed"),
    ],
)
def test_a_name_is_for_people_only(given: str, shown: str):
    assert clean_name(given) == shown
