"""What a mutation is: a rule, the exact text in which the source says it, and the opposite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = "kartoteka"


class Mutation(msgspec.Struct, frozen=True):
    """One flip. The text stands exactly once in its file, so it cannot silently mean another place."""

    decision: str
    rule: str
    file: str
    """Below `src/kartoteka`."""
    text: str
    flipped: str

    def occurrences(self, source: Path = SOURCE) -> int:
        return self._path(source).read_text().count(self.text)

    @contextmanager
    def applied(self, source: Path) -> Iterator[None]:
        """The flip is in this copy of the source until the end of the block."""
        path = self._path(source)
        before = path.read_text()
        path.write_text(before.replace(self.text, self.flipped))
        try:
            yield
        finally:
            path.write_text(before)

    def _path(self, source: Path) -> Path:
        return source / PACKAGE / self.file
