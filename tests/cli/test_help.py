"""Every command explains itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from kartoteka import __version__
from kartoteka.cli import kartoteka


def commands(of: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(of, click.Group):
        context = click.Context(of)
        for name in of.list_commands(context):
            yield from commands(of.get_command(context, name), (*path, name))


@pytest.mark.parametrize("path", list(commands(kartoteka)), ids=" ".join)
def test_help_ends_with_an_example(path):
    answer = CliRunner().invoke(kartoteka, [*path, "--help"])
    assert answer.exit_code == 0
    assert "Example" in answer.output
    assert " ".join(["kartoteka", *path]) in answer.output.partition("Example")[2]


def test_every_option_says_what_it_is_for():
    silent = [
        (*path, option.opts[0])
        for path in commands(kartoteka)
        for option in command(path).params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def command(path: tuple[str, ...]) -> click.Command:
    found: click.Command = kartoteka
    for name in path:
        assert isinstance(found, click.Group)
        step = found.get_command(click.Context(found), name)
        assert step is not None
        found = step
    return found


def test_version_is_the_package_s():
    assert CliRunner().invoke(kartoteka, ["version"]).output == f"kartoteka {__version__}\n"


def test_an_unknown_command_is_named():
    answer = CliRunner().invoke(kartoteka, ["sevre"])
    assert answer.exit_code == 2
    assert "sevre" in answer.output
