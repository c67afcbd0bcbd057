"""`kartoteka keys` and `kartoteka accounts`, run as a person runs them, on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from kartoteka.access.setting_values import SETTINGS
from kartoteka.cli import kartoteka


class Answer(msgspec.Struct, frozen=True):
    """What a command said."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """Runs `kartoteka` with these words on a fresh database."""
    environment = {
        **{name: value for name, value in os.environ.items() if "KARTOTEKA" not in name},
        "KARTOTEKA_DATABASE_URL": _as_url(database_url),
        "KARTOTEKA_SECRET_KEY": "0" * 32,
    }

    def run(*words: str) -> Answer:
        command = [sys.executable, "-c", "from kartoteka.cli import main; main()", *words]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


def test_a_key_is_shown_once_listed_disabled_enabled_and_deleted(run: Run) -> None:
    assert run("accounts", "create", "main").code == 0
    made = run("keys", "create", "--rights", "events", "--description", "Till", "--json").json
    assert (made["kind"], made["rights"], made["enabled"]) == ("server", "events", True)

    listed = run("keys", "list")
    assert made["key"] not in listed.out
    assert f"{made['prefix']}…" in listed.out
    assert "Till" in listed.out

    number = str(made["id"])
    assert run("keys", "disable", number).code == 0
    assert [key["enabled"] for key in run("keys", "list", "--json").json] == [False]
    assert run("keys", "enable", number).code == 0
    assert [key["enabled"] for key in run("keys", "list", "--json").json] == [True]
    assert run("keys", "delete", number).code == 0
    assert run("keys", "list", "--json").json == []
    gone = run("keys", "delete", number)
    assert (gone.code, gone.error) == (1, f"Error: This account has no key {number}.\n")


def test_the_keys_of_another_account_are_out_of_reach(run: Run) -> None:
    run("accounts", "create", "alice")
    run("accounts", "create", "bob")
    number = str(run("keys", "create", "--account", "alice", "--json").json["id"])
    assert run("keys", "list", "--account", "bob", "--json").json == []
    assert run("keys", "disable", number, "--account", "bob").code == 1
    assert run("keys", "list", "--account", "alice", "--json").json[0]["enabled"]


def test_a_browser_key_has_no_rights_to_choose(run: Run) -> None:
    run("accounts", "create", "main")
    refused = run("keys", "create", "--kind", "browser", "--rights", "full")
    assert (refused.code, refused.out) == (1, "")
    assert "no rights to choose" in refused.error
    assert run("keys", "create", "--kind", "browser", "--json").json["rights"] == "none"


def test_an_access_key_belongs_to_an_application(run: Run) -> None:
    """Part 3, the app: access keys per app; the first one is made with the first key."""
    run("accounts", "create", "main")
    first = run("keys", "create", "--kind", "app", "--json").json
    (app,) = run("apps", "list", "--json").json
    assert (app["id"], app["keys"], app["trusted"]) == (first["app"], 1, False)
    assert run("keys", "create", "--kind", "app", "--json").json["app"] == app["id"]
    made = run("apps", "create", "Крамниця", "--trusted", "--json").json
    assert (made["trusted"], made["key"][:3]) == (True, "kk_")
    unsure = run("keys", "create", "--kind", "app")
    assert (unsure.code, unsure.out) == (1, "")
    assert all(word in unsure.error for word in (app["id"], "Крамниця"))
    assert run("keys", "create", "--kind", "app", "--app", made["id"]).code == 0
    refused = run("keys", "create", "--kind", "browser", "--app", made["id"])
    assert (refused.code, refused.out) == (1, "")
    assert run("apps", "distrust", made["id"]).code == 0
    assert [one["trusted"] for one in run("apps", "list", "--json").json] == [False, False]
    assert run("apps", "trust", made["id"]).code == 0
    assert "Крамниця" in run("apps", "list").out
    assert run("apps", "key", app["id"]).out.count("kk_") == 1
    assert run("apps", "delete", made["id"]).code == 0
    assert {key["app"] for key in run("keys", "list", "--json").json} == {app["id"]}
    assert run("apps", "trust", made["id"]).error.startswith("Error: Application not found")


def test_an_account_without_applications_says_how_to_make_one(run: Run) -> None:
    run("accounts", "create", "main")
    assert run("apps", "list").out == (
        "Account main has no application yet: kartoteka apps create NAME\n"
    )


def test_accounts_are_made_listed_and_set(run: Run) -> None:
    made = run("accounts", "create", "outlet", "--email", "owner@shop.example")
    assert made.code == 0
    assert "kartoteka keys create --account" in made.out
    assert "owner@shop.example" in run("accounts", "list").out

    changed = run("accounts", "set", "outlet", "region=PL", "absorb=never", "--json").json
    assert (changed["settings"]["region"], changed["settings"]["absorb"]) == ("PL", "never")
    assert run("accounts", "show", "outlet", "--json").json == changed
    back = run("accounts", "set", "outlet", "region=default", "--json").json
    assert (back["settings"]["region"], back["settings"]["absorb"]) == ("UA", "never")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("asorb=never", "Did you mean absorb?"),
        ("absorb=all", "absorb must be contained, anonymous or never"),
        ("region=ZZ", "region must be a country"),
        ("never_identifiers=x y", "Entry 1 of never_identifiers"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_changes(run: Run, change: str, said: str) -> None:
    before = run("accounts", "create", "main", "--json").json
    refused = run("accounts", "set", "main", "currency=EUR", change)
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.error
    assert run("accounts", "show", "main", "--json").json == before


def test_an_unknown_account_is_named_with_those_there_are(run: Run) -> None:
    run("accounts", "create", "main")
    unknown = run("keys", "list", "--account", "mian")
    assert (unknown.code, unknown.error) == (
        1,
        "Error: There is no account 'mian'. There are: main.\n",
    )


@pytest.mark.parametrize(
    "words",
    [
        ("keys",),
        *(("keys", name) for name in ("create", "list", "disable", "enable", "delete")),
        ("apps",),
        *(("apps", name) for name in ("create", "list", "trust", "distrust", "key", "delete")),
        ("accounts",),
        *(("accounts", name) for name in ("create", "list", "show", "set")),
    ],
)
def test_help_has_an_example_of_the_command_itself(words: tuple[str, ...]) -> None:
    text = CliRunner().invoke(kartoteka, [*words, "--help"]).output
    assert f"  kartoteka {' '.join(words)}" in text


def test_help_of_accounts_set_lists_every_setting() -> None:
    text = CliRunner().invoke(kartoteka, ["accounts", "set", "--help"]).output
    for setting in SETTINGS.values():
        assert f"{setting.name}: {setting.allowed}" in text


def _as_url(conninfo: str) -> str:
    """A URL with the host, a socket folder, among its parameters."""
    from urllib.parse import quote, urlencode

    from psycopg.conninfo import conninfo_to_dict

    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    database = quote(parts.pop("dbname"))
    return f"postgresql:///{database}?{urlencode(parts, quote_via=quote)}"
