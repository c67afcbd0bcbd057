"""Whether a form comes from a page of ours, made for this session (CSRF)."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from kartoteka.admin.bodies import Fields
from kartoteka.admin.request import Request
from kartoteka.errors import Forbidden

_OF_THE_SESSION = frozenset(
    ("/admin/sign-out", "/admin/theme", "/admin/account/switch", "/admin/account/password")
)
"""What a form is about that belongs to no account: a page of any of them may send it."""


class FormExpired(Forbidden):
    """The form is from an earlier session, another account or another site. Load the page again."""

    code = "form_expired"


def check_token(request: Request, form: Fields) -> None:
    """Raises `FormExpired` unless the form was made for this session in this account."""
    if request.page.role is None:
        return
    tokens = [request.csrf]
    if request.path in _OF_THE_SESSION and request.session is not None:
        tokens = [request.csrf_in(one.account.account_id) for one in request.session.grants]
    given = form.one("csrf").encode()
    if not any(secrets.compare_digest(given, token.encode()) for token in tokens):
        raise FormExpired


def check_origin(request: Request) -> None:
    """Browsers say where a POST comes from; without any word the token alone decides."""
    headers = request.headers
    site = headers.get(b"sec-fetch-site")
    if site not in (None, b"same-origin", b"none"):
        raise FormExpired
    origin = headers.get(b"origin")
    if origin is not None:
        host = headers.get(b"host", b"").decode("latin-1")
        if urlsplit(origin.decode("latin-1")).netloc != host:
            raise FormExpired
