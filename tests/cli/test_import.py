"""`kartoteka import` and `kartoteka imports` beside the running server."""

from __future__ import annotations

import csv
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND, clean_environment

_numbers = itertools.count(1)


def environment_of(server: Any) -> dict[str, str]:
    return clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}


def kartoteka(server: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment_of(server),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def word() -> str:
    """A word that no other test of this run uses."""
    return f"cli{next(_numbers)}"


def write(folder: Path, content: str, name: str = "people.csv") -> str:
    path = folder / name
    path.write_text(content, "utf-8")
    return str(path)


def people(word: str, count: int) -> str:
    rows = "".join(f"{word}-{number};{word}-{number}@example.com\n" for number in range(count))
    return f"Client no;E-mail\n{rows}"


def shown(server: Any, number: str) -> dict[str, Any]:
    done = kartoteka(server, "imports", "show", number, "--json")
    assert done.returncode == 0, done.stderr
    one: dict[str, Any] = json.loads(done.stdout)
    return one


def number_of(done: subprocess.CompletedProcess[str]) -> str:
    """The id in `Import 12 of people.csv`."""
    assert done.stdout.startswith("Import "), done.stderr
    return done.stdout.split()[1]


def test_a_file_is_imported_and_the_statement_shown(server: Any, tmp_path: Path, word: str):
    file = write(tmp_path, people(word, 3) + ";nobody\n")
    done = kartoteka(
        server,
        *("import", file, "--unique", "externalCustomerId", "--group", "Spring sale"),
        *("--map", "Client no=externalCustomerId", "--map", "B=email"),
    )
    assert done.returncode == 0, done.stderr
    assert f"Import {number_of(done)} of people.csv, unique by externalCustomerId." in done.stdout
    lines = done.stdout.splitlines()
    assert "created  3" in lines
    assert "failed   1" in lines
    assert any("no External ID" in line for line in lines)
    assert lines[-1].startswith(f"Import {number_of(done)} is finished: 4 rows in ")
    assert shown(server, number_of(done))["counts"]["created"] == 3
    assert Path(file).exists()


def test_the_same_file_again_is_said_so(server: Any, tmp_path: Path, word: str):
    file = write(tmp_path, people(word, 2))
    first = kartoteka(server, "import", file)
    again = kartoteka(server, "import", file)
    assert f"Note: import {number_of(first)} has the same file" in again.stdout
    assert "unchanged  2" in again.stdout


def test_a_dry_run_writes_nothing(server: Any, tmp_path: Path, word: str):
    file = write(tmp_path, people(word, 2))
    done = kartoteka(server, "import", file, "--dry-run")
    assert f"Import {number_of(done)} of people.csv (dry run)" in done.stdout
    assert "created  2" in done.stdout
    assert "created  2" in kartoteka(server, "import", file).stdout


def test_a_preview_shows_columns_and_what_is_wrong(server: Any, tmp_path: Path, word: str):
    file = write(tmp_path, people(word, 2) + ";nobody\n")
    before = kartoteka(server, "imports", "list", "--json").stdout
    done = kartoteka(server, "import", file, "--preview", "--map", "A=externalCustomerId")
    assert done.returncode == 0, done.stderr
    assert "people.csv: CSV, utf-8, delimiter ;" in done.stdout
    assert "External ID (unique)" in done.stdout
    assert "2 fine, 0 with a value that is left out, 1 not imported" in done.stdout
    assert kartoteka(server, "imports", "list", "--json").stdout == before


def test_a_preview_of_unknown_columns_shows_them(server: Any, tmp_path: Path):
    file = write(tmp_path, "Farbe,Größe\nrot,XL\n")
    done = kartoteka(server, "import", file, "--preview")
    assert done.returncode == 1
    assert "Größe" in done.stdout
    assert "No column can name a contact" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--unique", "shoe size"), "unique must be one of"),
        (("--map", "Colour=sms"), "There is no column “Colour”"),
        (("--map", "nonsense"), "is not COLUMN=FIELD"),
        (("--account", "nobody"), "There is no account"),
        (("--delimiter", "much"), "delimiter must be one sign"),
    ],
    ids=["unique", "map", "no pair", "account", "delimiter"],
)
def test_wrong_options_are_said_in_a_sentence(
    server: Any, tmp_path: Path, word: str, options: tuple[str, ...], said: str
):
    done = kartoteka(server, "import", write(tmp_path, people(word, 1)), *options)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_detached_import_is_listed_and_its_rows_are_written(
    server: Any, tmp_path: Path, word: str
):
    file = write(tmp_path, people(word, 2) + ";=1+1\n")
    done = kartoteka(server, "import", file, "--detach", "--map", "A=externalCustomerId")
    number = number_of(done)
    assert f"kartoteka imports show {number}" in done.stdout
    deadline = time.monotonic() + 60
    while shown(server, number)["state"] != "finished":
        assert time.monotonic() < deadline
    listed = json.loads(kartoteka(server, "imports", "list", "--json").stdout)
    assert str(listed[0]["id"]) == number
    assert number in kartoteka(server, "imports", "list").stdout
    assert "created  2" in kartoteka(server, "imports", "show", number).stdout
    rows = kartoteka(server, "imports", "rows", number, "--outcome", "failed")
    assert "1 of 1 rows." in rows.stdout
    target = tmp_path / "statement.csv"
    done = kartoteka(server, "imports", "rows", number, "--csv", str(target))
    assert (done.returncode, done.stdout) == (0, f"Rows in {target}: 3.\n")
    nowhere = kartoteka(server, "imports", "rows", number, "--csv", str(tmp_path / "no" / "x.csv"))
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1), "a sentence, no traceback"
    assert "cannot be written: No such file" in nowhere.stderr
    with target.open(encoding="utf-8-sig", newline="") as opened:
        found = list(csv.DictReader(opened))
    assert [row["outcome"] for row in found] == ["created", "created", "failed"]
    again = kartoteka(server, "imports", "rows", number, "--json", "--limit", "1")
    assert [row["row"] for row in json.loads(again.stdout)] == [1]


def test_ctrl_c_leaves_the_import_running(server: Any, tmp_path: Path, word: str):
    """Seen on a terminal, as a user has one."""
    file = write(tmp_path, people(word, 400_000))
    ours, theirs = pty.openpty()
    command = [COMMAND, "import", file, "--map", "A=externalCustomerId"]
    with subprocess.Popen(
        command,
        env=environment_of(server),
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        seen = read_until(ours, " of 400,000 rows")
        process.send_signal(signal.SIGINT)
        seen += read_until(ours, "imports cancel")
        assert process.wait(60) == 130
    os.close(ours)
    number = seen.split("Import ")[1].split()[0]
    assert "[" in seen
    assert f"Import {number} goes on without this command." in seen
    assert shown(server, number)["state"] == "running"
    paused = kartoteka(server, "imports", "pause", number)
    assert f"Import {number} is paused" in paused.stdout
    assert "goes on" in kartoteka(server, "imports", "resume", number).stdout
    cancelled = kartoteka(server, "imports", "cancel", number)
    assert f"Import {number} is cancelled after " in cancelled.stdout
    refused = kartoteka(server, "imports", "pause", number)
    assert (refused.returncode, "is cancelled" in refused.stderr) == (1, True)


def read_until(descriptor: int, words: str, timeout_s: float = 60) -> str:
    seen = b""
    deadline = time.monotonic() + timeout_s
    while words.encode() not in seen:
        assert time.monotonic() < deadline, seen
        try:
            seen += os.read(descriptor, 4096)
        except OSError as error:  # its other end is closed
            raise AssertionError(seen.decode()) from error
    return seen.decode()


def test_when_nobody_carries_it_out_the_command_says_so(start_server: Any, tmp_path: Path):
    server = start_server(folder=tmp_path / "alone" / "data")
    server.stop()
    file = write(tmp_path, people("alone", 1))
    impatient = "from kartoteka.cli import import_watch, main; import_watch.PATIENCE_S = 1; main()"
    done = subprocess.run(
        [sys.executable, "-c", impatient, "import", file, "--map", "A=externalCustomerId"],
        env=environment_of(server),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "nobody carries it out" in done.stderr
    assert shown(server, number_of(done))["state"] == "queued"


@pytest.mark.parametrize("command", ["show", "rows", "pause", "resume", "cancel"])
def test_an_import_that_is_not_there_is_said_in_a_sentence(server: Any, command: str):
    done = kartoteka(server, "imports", command, "999999")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "Error: Import not found: the account has none with this id.",
    )
