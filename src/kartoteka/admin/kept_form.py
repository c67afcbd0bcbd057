"""A form that arrives after its session has ended: it is kept through the sign-in, and sent when its
user says so.

The browser carries it as hidden fields of the sign-in; nothing is stored. Only a form that comes from a
page of ours is kept, so no other site can leave one here.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import msgspec

from kartoteka.admin.bodies import Fields, parse_fields, read_form
from kartoteka.admin.csrf import FormExpired, check_origin
from kartoteka.admin.request import Request
from kartoteka.errors import InvalidRequest, TooLarge

MOST_CHARS = 200_000
_NEVER = frozenset(
    ("/admin/sign-out", "/admin/theme", "/admin/account/password", "/admin/account/switch")
)
_QUIET = (
    "was.",
    "w.",
    "settings.",
    "sure",
    "back",
    "filled",
    "columns",
    "only",
    "do",
    "skip",
    "by",
)
"""What forms say beside what their user entered, and where secrets stand: neither is shown."""


class KeptForm(msgspec.Struct, frozen=True):
    """Where it was to go, and what it says."""

    path: str
    fields: str
    """As a browser writes a form: `name=Ann&town=Lviv`."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Its fields in order."""
        return parse_qsl(self.fields, keep_blank_values=True)

    @property
    def entered(self) -> list[tuple[str, str]]:
        """What its user may want to see again: no blank field, and none of our own."""
        return [
            (name, value) for name, value in self.pairs if value and not name.startswith(_QUIET)
        ]


async def keep(request: Request) -> KeptForm | None:
    """The form of a request without a session; None where there is nothing to keep."""
    page = request.page
    if page.method != "POST" or page.uploads or request.path in _NEVER:
        return None
    try:
        check_origin(request)
        form = await read_form(request.receive, request.headers)
    except (FormExpired, InvalidRequest, TooLarge):
        return None
    return None if form.has("password") else _kept(request.path, form.pairs())


def carried(form: Fields) -> KeptForm | None:
    """What the sign-in carries; None if there is none, or it is for no page of ours."""
    path = form.one("kept_path")
    if not path.startswith("/admin/") or not path.isprintable() or "\\" in path:
        return None
    try:
        return _kept(path, parse_fields(form.raw("kept").encode()).pairs())
    except InvalidRequest:
        return None


def _kept(path: str, pairs: list[tuple[str, str]]) -> KeptForm | None:
    fields = urlencode([pair for pair in pairs if pair[0] != "csrf"])
    return KeptForm(path, fields) if 0 < len(fields) <= MOST_CHARS else None
