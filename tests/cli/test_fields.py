"""`kartoteka fields` on the running server's database."""

from __future__ import annotations

import json
import subprocess

from tests.conftest import COMMAND, clean_environment


def kartoteka(server, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    return subprocess.run(
        [COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_a_field_is_defined_listed_and_deleted(server):
    added = kartoteka(
        server,
        *("fields", "add", "Favourite colour", "--type", "combobox"),
        *("--value", "blue", "--value", "green", "--json"),
    )
    assert added.returncode == 0, added.stderr
    field = json.loads(added.stdout)
    assert (field["key"], field["possibleValues"]) == ("FAVOURITE_COLOUR", ["blue", "green"])
    listed = kartoteka(server, "fields", "list").stdout
    for path in ("PERSONAL.BIRTHDAY", "PERSONAL.GENDER", "PERSONAL.FAVOURITE_COLOUR"):
        assert path in listed
    assert kartoteka(server, "fields", "delete", str(field["id"])).returncode == 0
    assert "FAVOURITE_COLOUR" not in kartoteka(server, "fields", "list").stdout


def test_what_cannot_be_defined_is_said_in_one_sentence(server):
    for arguments in (
        ("add", "Colour", "--type", "combobox"),
        ("add", "Birthday"),
        ("add", "Size", "--type", "number", "--min", "small"),
        ("delete", "999999"),
        ("list", "--account", "nobody"),
    ):
        done = kartoteka(server, "fields", *arguments)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()
