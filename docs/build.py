"""`make docs`: writes the generated pages of docs/reference, and all pages as HTML into build/docs.

`python -m docs.build --check` only tells which generated pages are stale; `make check` runs it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from docs.reference_pages import PAGES
from docs.site import build_site

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
SITE = DOCS.parent / "build" / "docs"
NOTE = "<!-- Made by `make docs` from the code; changes here are lost. -->\n\n"


def stale_pages() -> list[str]:
    """The names of the generated pages that are not what the code says."""
    return [name for name, page in PAGES.items() if _kept(name) != NOTE + page()]


def _kept(name: str) -> str | None:
    path = REFERENCE / name
    return path.read_text("utf-8") if path.exists() else None


def main(arguments: Sequence[str]) -> int:
    """Write everything, or with `--check` name the pages that `make docs` would change."""
    stale = stale_pages()
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is stale; run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(NOTE + PAGES[name](), "utf-8")
        print(f"wrote docs/reference/{name}")
    count = build_site(DOCS, SITE)
    print(f"built {count} pages: build/docs/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
