"""What a mutation is: a rule, the exact text in which the source says it, and the opposite."""

from __future__ import annotations

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

    def apply(self, source: Path) -> None:
        path = self._path(source)
        path.write_text(path.read_text().replace(self.text, self.flipped))

    def restore(self, source: Path) -> None:
        self._path(source).write_text(self._path(SOURCE).read_text())

    def _path(self, source: Path) -> Path:
        return source / PACKAGE / self.file
