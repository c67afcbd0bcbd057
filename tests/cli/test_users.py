"""`kartoteka users`: people who sign in to the pages, made, shared, changed and taken away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_keys_and_accounts import Answer, _as_url

Run = Callable[..., Answer]
FAILED, WRONG_USE = 1, 2


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """Runs `kartoteka users …` on a fresh database, with that text as its input."""
    environment = {
        **{name: value for name, value in os.environ.items() if "KARTOTEKA" not in name},
        "KARTOTEKA_DATABASE_URL": _as_url(database_url),
        "KARTOTEKA_SECRET_KEY": "0" * 32,
    }

    def run(*words: str, typed: str = "") -> Answer:
        command = [sys.executable, "-c", "from kartoteka.cli import main; main()", *words]
        done = subprocess.run(
            command,
            env=environment,
            cwd=tmp_path,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    assert run("accounts", "create", "main").code == 0
    return run


def test_a_user_is_added_with_a_role_changed_shared_and_taken_away(run: Run) -> None:
    typed = "correct horse battery\n"
    made = run("users", "create", "olha", "--role", "marketer", typed=typed)
    assert made.out == "olha may sign in to main as marketer.\n"  # the password is not repeated
    (olha,) = run("users", "list", "--json").json
    assert (olha["login"], olha["role"], olha["signed_in_at"]) == ("olha", "marketer", None)

    # Only an owner may be the last one to go, and nobody else is bound by that.
    assert run("users", "role", "olha", "owner").code == 0
    last = run("users", "role", "olha", "reader")
    assert (last.code, last.out) == (FAILED, "")
    assert "needs an owner" in last.error
    assert run("users", "delete", "olha").code == FAILED

    assert run("accounts", "create", "outlet").code == 0
    assert run("users", "share", "olha", "--to", "outlet", "--role", "reader").code == 0
    assert run("users", "list", "--account", "outlet").out.split("\n")[1].split()[1:3] == [
        "olha",
        "reader",
    ]
    assert run("users", "delete", "olha", "--account", "outlet").code == 0
    assert run("users", "list", "--account", "outlet", "--json").json == []


def test_a_password_is_made_where_nobody_types_one_and_weak_ones_are_refused(run: Run) -> None:
    made = run("users", "create", "olha")
    assert re.search(r"^Password: \S{12,}$", made.out, re.MULTILINE)
    weak = run("users", "password", "olha", typed="short\n")
    assert (weak.code, weak.out) == (FAILED, "")
    assert "10 to 200 characters" in weak.error
    assert "short" not in weak.error
    assert "olha has another password" in run("users", "password", "olha").out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("users", "create", "two words"), FAILED, "A login has"),
        (("users", "password", "nobody"), FAILED, "no user of that name"),
        (("users", "role", "nobody", "king"), WRONG_USE, "'king' is not one of"),
        (("users", "list", "--account", "nowhere"), FAILED, "nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(run: Run, words, code, sentence) -> None:
    answer = run(*words)
    assert (answer.code, answer.out) == (code, "")
    assert sentence in answer.error
    assert "Traceback" not in answer.error
