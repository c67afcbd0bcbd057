"""The examples of the documentation: `console` blocks, run by tests/docs against a real server.

A line that begins with `$ ` is a command (one that ends with a backslash goes on in the next line);
what follows is its output. `…` in an output stands for anything. Pages run from top to bottom, each
on a server without contacts, with `$KEY` set.
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
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            end = 1 + next(at for at, line in enumerate(lines) if not line.endswith("\\"))
            yield Example("\n".join(lines[:end]), "\n".join(lines[end:]))


def output_of(command: str, address: str, environment: Mapping[str, str]) -> str:
    """What the command prints, with the server's address as the pages spell it."""
    done = run(
        ["bash", "-c", command.replace(ADDRESS, address)],
        env=environment,
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout.replace(address, ADDRESS).replace("\r", "").strip()


def is_shown(printed: str, shown: str) -> bool:
    """Whether the page shows that output, blanks at the ends of lines aside."""
    pattern = ".*?".join(re.escape(part) for part in _lines(shown).split("…"))
    return re.fullmatch(pattern, _lines(printed), re.DOTALL) is not None


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
