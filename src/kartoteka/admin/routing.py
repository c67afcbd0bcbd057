"""The table of pages: method, path, the role it needs, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from kartoteka.access.users import Role

if TYPE_CHECKING:
    from kartoteka.admin.replies import Reply
    from kartoteka.admin.request import Request

Handler = Callable[["Request"], Awaitable["Reply"]]
_PARAMETER = re.compile(r"\{(\w+)\}")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path under /admin. `role` None: nobody needs to be signed in."""

    method: str
    path: str
    """The template; a parameter `{id}` is a number, any other one a text without slash."""
    role: Role | None
    handler: Handler
    uploads: bool = False
    """The body is a file, which the handler streams itself."""


class Table:
    """Finds the page of a request."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._exact: dict[str, dict[str, Page]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Page]]] = {}
        for page in pages:
            if "{" in page.path:
                pattern = re.compile(_PARAMETER.sub(_group, page.path))
                methods = self._patterns.setdefault(page.path, (pattern, {}))[1]
            else:
                methods = self._exact.setdefault(page.path, {})
            assert page.method not in methods, page.path
            methods[page.method] = page

    def find(self, path: str) -> tuple[dict[str, Page], dict[str, str]] | None:
        """(pages by method, parameters) of a path without trailing slash."""
        if (methods := self._exact.get(path)) is not None:
            return methods, {}
        for pattern, methods in self._patterns.values():
            if match := pattern.fullmatch(path):
                return methods, match.groupdict()
        return None


def _group(match: re.Match[str]) -> str:
    name = match[1]
    return rf"(?P<{name}>[0-9]{{1,18}})" if name.endswith("id") else rf"(?P<{name}>[^/]+)"
