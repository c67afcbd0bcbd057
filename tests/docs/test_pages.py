"""The documentation agrees with the code and with itself."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

import pytest

from docs.build import stale_pages
from docs.menu import DECISIONS, MENU
from docs.site import anchor, build_site

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "kartoteka"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "changes").glob("*.md")])
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The text without blocks of code."""
    return _FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    taken: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        anchor(heading, taken)
    return taken


def test_generated_pages_are_what_the_code_says():
    assert stale_pages() == [], "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path):
    for link in _LINK.findall(prose(page)):
        if re.match(r"https?:", link):
            continue
        target, _, part = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        assert not part or part in anchors(path), link


def test_every_page_is_in_the_menu_once_and_every_entry_has_its_page():
    listed = [path for _, part in MENU for path, _ in part]
    there = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert len(listed) == len(set(listed))
    assert set(listed) == {page for page in there if not page.startswith(f"{DECISIONS}/")}


def test_no_two_decisions_have_one_number():
    numbers = [page.name[:4] for page in (DOCS / DECISIONS).glob("[0-9]*.md")]
    assert len(set(numbers)) == len(numbers)


def test_the_built_site_links_to_itself_only_and_to_what_is_there(tmp_path: Path):
    count = build_site(DOCS, tmp_path)
    built = list(tmp_path.rglob("*.html"))
    assert len(built) == count
    for page in built:
        text = page.read_text("utf-8")
        assert "<script" not in text
        assert not re.search(r'(?:src|rel="stylesheet" href)="https?:', text)
        for href in re.findall(r'href="([^"#]+)(?:#[^"]*)?"', text):
            if not re.match(r"https?:", href):
                assert (page.parent / html.unescape(href)).exists(), (page, href)


def test_the_map_is_short_and_names_every_folder():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert len(text.splitlines()) < 150
    folders = [path for path in SOURCE.rglob("*") if path.is_dir()]
    folders += [path for top in ("docs", "tests", "bench") for path in (ROOT / top).glob("*/")]
    named = {path.name for path in folders if not path.name.startswith(("_", "."))}
    assert [name for name in sorted(named) if f"{name}/" not in text] == []


def test_every_warning_is_documented():
    text = (DOCS / "api" / "errors.md").read_text("utf-8")
    missing = [code for code in sorted(warning_codes()) if f"`{code}`" not in text]
    assert missing == []


def warning_codes() -> set[str]:
    """The codes that a `Notice` is made with, where the code says them as plain text."""
    codes: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Notice":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    codes.add(str(first.value))
    assert len(codes) > 5
    return codes


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_name_no_place_of_somebodys_machine(page: Path):
    text = page.read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\w", text)
