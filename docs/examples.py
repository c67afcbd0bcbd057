"""The examples of the documentation: `console` blocks, run by tests/docs against a real server.

A line that begins with `$ ` is a command; it goes on after a backslash and inside single quotes.
What follows is its output: `…` stands for anything, and JSON may be broken into lines. Pages run from
top to bottom, each in a folder of its own, on a server without contacts, with `$KEY` set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import PIPE, STDOUT, run
from typing import NamedTuple

ADDRESS = "http://127.0.0.1:8080"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PAGES = ("README.md", "docs/**/*.md")


class Example(NamedTuple):
    """One command as it is written, and the output that the page shows."""

    command: str
    output: str


def pages_with_examples(root: Path) -> list[Path]:
    """Every page that has a block to run."""
    pages = [path for pattern in _PAGES for path in sorted(root.glob(pattern))]
    return [path for path in pages if _BLOCK.search(path.read_text("utf-8"))]


def examples_of(page: str) -> Iterator[Example]:
    """The commands of a page in order."""
    for block in _BLOCK.findall(page):
        yield from examples_in(block)


def examples_in(block: str) -> Iterator[Example]:
    """The commands of one block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next(at for at in range(1, len(lines) + 1) if _is_whole(lines[:at]))
        yield Example("\n".join(lines[:end]), "\n".join(lines[end:]))


def _is_whole(command: list[str]) -> bool:
    return not command[-1].endswith("\\") and "".join(command).count("'") % 2 == 0


def output_of(command: str, address: str, environment: Mapping[str, str], folder: Path) -> str:
    """What the command prints in that folder, with the server's address as the pages spell it."""
    done = run(
        ["/bin/bash", "-c", command.replace(ADDRESS, address)],
        env=environment,
        cwd=folder,
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout.replace(address, ADDRESS).replace("\r", "").strip()


def is_shown(printed: str, shown: str) -> bool:
    """Whether the page shows that output."""
    pattern = ".*?".join(re.escape(part) for part in _plain(shown).split("…"))
    return re.fullmatch(pattern, _plain(printed), re.DOTALL) is not None


def _plain(text: str) -> str:
    """The text without blanks around its lines, JSON on one line."""
    between = "" if text.lstrip().startswith(("{", "[")) else "\n"
    return between.join(line.strip() for line in text.strip().splitlines())
