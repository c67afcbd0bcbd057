"""Every command in a `console` block of README and docs prints what the page shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.examples import examples_of, is_shown, output_of, pages_with_examples
from tests.conftest import clean_environment, fresh_database, launch_server

ROOT = Path(__file__).parents[2]
PAGES = pages_with_examples(ROOT)


def test_there_are_examples_to_run():
    assert ROOT / "README.md" in PAGES
    assert len(PAGES) > 5


SECRET = {"KARTOTEKA_SECRET_KEY": "a secret key of the documentation's tests"}


@pytest.fixture(scope="module")
def begun(postgres_url: str, tmp_path_factory) -> Iterator[str]:
    """The name of a database on which a server has been started once: to be copied."""
    with fresh_database(postgres_url) as url:
        folder = tmp_path_factory.mktemp("begun") / "data"
        server = launch_server(folder, KARTOTEKA_DATABASE_URL=url, **SECRET)
        assert server.wait_until_ready().stop() == 0
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def begun_url(postgres_url: str, begun: str) -> Iterator[str]:
    """The URL of a copy of it."""
    with fresh_database(postgres_url, template=begun) as url:
        yield url


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_print_what_it_shows(page: Path, begun_url, start_server, tmp_path):
    settings = {
        "KARTOTEKA_DATABASE_URL": begun_url,
        "KARTOTEKA_DATA_DIR": str(tmp_path / "server" / "data"),
        **SECRET,
    }
    server = start_server(**settings)
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**clean_environment(), **settings, "KEY": server.key, "PATH": programs}
    folder = tmp_path / "page"
    folder.mkdir()
    for example in examples_of(page.read_text("utf-8")):
        printed = output_of(example.command, server.url, environment, folder)
        assert is_shown(printed, example.output), f"{example.command}\nprints\n{printed}"
    server.stop()


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ('{"id":1}', '{"id":1}', True),
        ('{"id":1}', '{"id":2}', False),
        ('{"id":1,"at":"now","b":2}', '{"id":1,"at":"…",\n "b":2}', True),
        ('{"id":1,"b":3}', '{"id":1,…"b":2}', False),
        ("one\ntwo", "one two", False),
    ],
)
def test_what_counts_as_shown(printed: str, shown: str, same: bool):
    assert is_shown(printed, shown) is same
