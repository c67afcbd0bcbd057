"""The documentation as static HTML: no script, nothing from elsewhere, light and dark."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from docs.examples import examples_in
from docs.menu import DECISIONS, MENU

STYLE = "site.css"
IMAGES = "images"
Section = tuple[str, tuple[tuple[str, str], ...]]
_ELSEWHERE = re.compile(r"^[a-z]+:|^#")


def build_site(docs: Path, site: Path) -> int:
    """Write every page of the menu to `site`; the number of pages."""
    if site.exists():
        shutil.rmtree(site)
    sections = menu_of(docs)
    pages = [path for _, part in sections for path, _ in part]
    for path in pages:
        target = site / _html_name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(docs, path, sections), "utf-8")
    shutil.copy(docs / STYLE, site / STYLE)
    if (docs / IMAGES).exists():
        shutil.copytree(docs / IMAGES, site / IMAGES)
    return len(pages)


def menu_of(docs: Path) -> list[Section]:
    """The menu with the decisions that there are, by their file names."""
    decisions = tuple(
        (f"{DECISIONS}/{path.name}", title_of(path.read_text("utf-8")))
        for path in sorted((docs / DECISIONS).glob("*.md"))
    )
    return [*MENU, ("Decisions", decisions)] if decisions else list(MENU)


def title_of(markdown: str) -> str:
    """The text of the first heading."""
    found = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    return found[1] if found else ""


def page(docs: Path, path: str, sections: list[Section]) -> str:
    """One page as a whole HTML document."""
    markdown = (docs / path).read_text("utf-8")
    up = "../" * path.count("/")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title_of(markdown))} · Kartoteka</title>"
        f'<link rel="stylesheet" href="{up}{STYLE}"></head><body>'
        '<a class="skip" href="#text">To the text</a>'
        f'<div class="frame"><nav aria-label="Pages">{_nav(path, up, sections)}</nav>'
        f'<main id="text">{render(markdown, path)}{_neighbours(path, up, sections)}</main>'
        f"</div></body></html>\n"
    )


def _nav(path: str, up: str, sections: list[Section]) -> str:
    parts = [f'<a class="brand" href="{up}index.html">Kartoteka</a>']
    for name, pages in sections:
        links = "".join(
            f'<li><a href="{up}{_html_name(to)}"{_current(to, path)}>{escape(title)}</a></li>'
            for to, title in pages
        )
        parts.append(f"<h2>{escape(name)}</h2><ul>{links}</ul>")
    # Closed on a phone, where the menu would fill the first screen; site.css opens it elsewhere.
    return (
        f'<input type="checkbox" id="menu"><label for="menu">Menu</label>'
        f'<div class="pages">{"".join(parts)}</div>'
    )


def _current(to: str, path: str) -> str:
    return ' aria-current="page"' if to == path else ""


def _neighbours(path: str, up: str, sections: list[Section]) -> str:
    pages = [one for _, part in sections for one in part]
    place = [to for to, _ in pages].index(path)
    links = [
        (
            f'<a class="{word}" href="{up}{_html_name(pages[at][0])}"><small>{word}</small>'
            f"{escape(pages[at][1])}</a>"
        )
        for word, at in (("previous", place - 1), ("next", place + 1))
        if 0 <= at < len(pages)
    ]
    return f"<footer>{''.join(links)}</footer>"


def render(markdown: str, path: str) -> str:
    """The HTML of a page's text, links to other pages made links to their HTML."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.add_render_rule("fence", _fence)
    tokens = reader.parse(markdown)
    taken: set[str] = set()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[place + 1].content, taken))
        for inner in token.children or []:
            _relink(inner, path)
    html: str = reader.renderer.render(tokens, reader.options, {})
    return html.replace("<table>", '<div class="table" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


def _fence(_renderer: object, tokens: Sequence[Token], at: int, *_rest: object) -> str:
    """A block of code; in a console what is typed stands out from what is printed."""
    token = tokens[at]
    text = escape(token.content)
    if token.info == "console":
        text = "".join(
            f'<span class="command">$ {escape(one.command)}</span>\n'
            + (
                f'<span class="{_kind(one.output)}">{escape(one.output)}</span>\n'
                if one.output
                else ""
            )
            for one in examples_in(token.content)
        )
    return f'<pre><code class="language-{escape(token.info)}">{text}</code></pre>\n'


def _kind(output: str) -> str:
    """JSON may be broken anywhere, lines with columns nowhere."""
    return "output" if output.lstrip().startswith(("{", "[")) else "output columns"


def _relink(token: Token, path: str) -> None:
    href = token.attrGet("href")
    if token.type != "link_open" or not isinstance(href, str) or _ELSEWHERE.match(href):
        return
    target, mark, part = href.partition("#")
    full = posixpath.normpath(posixpath.join("docs", posixpath.dirname(path), target))
    if full.startswith("docs/") and full.endswith(".md"):
        token.attrSet("href", _html_name(target) + mark + part)


def anchor(heading: str, taken: set[str]) -> str:
    """The id of a heading, as GitHub makes it; a second one of the same words gets a number."""
    words = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
    name, number = words, 0
    while name in taken:
        number += 1
        name = f"{words}-{number}"
    taken.add(name)
    return name


def _html_name(path: str) -> str:
    return path.removesuffix(".md") + ".html"
