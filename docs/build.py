"""Writes the generated pages of docs/reference from the code; `--check` tells which are stale.

A page is one function that returns Markdown and one line in `PAGES`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import click

import kartoteka
from kartoteka.access.setting_values import setting_rows
from kartoteka.api.errors import InternalError, status_of
from kartoteka.cli import kartoteka as command
from kartoteka.errors import KartotekaError, default_message
from kartoteka.identity.kinds import KINDS
from kartoteka.settings import settings_table

FOLDER = Path(__file__).parent / "reference"
SERVER_FAULT = 500
NOTE = "<!-- Made by `make docs` from the code; changes here are lost. -->\n\n"


def settings_page() -> str:
    """The settings of a server."""
    return (
        "# Settings of the server\n\nFrom the environment, or from `kartoteka.toml` in the folder "
        "where the server starts (`port = 8080`); the environment wins. A secret may be in a file "
        "that `…_FILE` names.\n\n" + settings_table()
    )


def account_settings_page() -> str:
    """The settings of an account."""
    rows = [
        (f"`{row.name}`", row.values, f"`{row.default}`", row.meaning, row.consequence, row.source)
        for row in setting_rows()
    ]
    headers = ("setting", "values", "default", "meaning", "consequence", "source")
    return (
        "# Settings of an account\n\n`kartoteka accounts set NAME key=value` changes them, and "
        "`PATCH /api/v1/account/settings`.\n\n" + table(headers, rows)
    )


def identifiers_page() -> str:
    """The kinds of identifier."""
    rows = [
        (
            kind.label,
            f"`{kind.name}`",
            "lasting" if kind.lasting else "changeable",
            "one contact" if kind.exclusive else "shareable",
            "; ".join(_example(given, kept) for given, kept in kind.examples[:4]),
        )
        for kind in KINDS
    ]
    headers = ("kind", "name", "lasting?", "stands on", "given → stored")
    return "# Kinds of identifier\n\n" + table(headers, rows)


def _example(given: object, kept: str | None) -> str:
    return f"`{json.dumps(given, ensure_ascii=False)}` → {f'`{kept}`' if kept else 'nothing'}"


def errors_page() -> str:
    """Every error that the API answers with."""
    rows = {
        (str(status_of(error())), f"`{error.code}`", default_message(error))
        for error in error_classes()
        if status_of(error()) != SERVER_FAULT or error is InternalError
    }
    return "# Errors\n\nThe member `code` of an answer is stable, the message is not.\n\n" + table(
        ("status", "code", "message"), sorted(rows)
    )


def error_classes() -> Iterator[type[KartotekaError]]:
    """Every class of error that can be made without arguments."""
    for module in walk_packages(kartoteka.__path__, "kartoteka."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    waiting = [KartotekaError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        try:
            error()
        except TypeError:
            continue
        yield error


def commands_page() -> str:
    """The help of every command."""
    return "# Commands\n\n" + "\n".join(_help(command, "kartoteka"))


def _help(of: click.Command, name: str) -> Iterator[str]:
    context = click.Context(of, info_name=name, max_content_width=90, terminal_width=90)
    yield f"## {name}\n\n```text\n{of.get_help(context)}\n```\n"
    if isinstance(of, click.Group):
        for part in of.list_commands(context):
            inner = of.get_command(context, part)
            if inner is not None:
                yield from _help(inner, f"{name} {part}")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n"
        for line in lines
    )


PAGES: dict[str, Callable[[], str]] = {
    "account-settings.md": account_settings_page,
    "commands.md": commands_page,
    "errors.md": errors_page,
    "identifiers.md": identifiers_page,
    "settings.md": settings_page,
}


def stale_pages() -> list[str]:
    """The names of the pages that are not what the code says."""
    return [name for name, page in PAGES.items() if _kept(name) != NOTE + page()]


def _kept(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text("utf-8") if path.exists() else None


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` name those that `make docs` would change."""
    stale = stale_pages()
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is stale; run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(NOTE + PAGES[name](), "utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
