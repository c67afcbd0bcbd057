"""The pages as an ASGI application of its own: sessions, forms, errors, headers.

It knows no web framework: what pages need is a table of paths and two hundred lines
(docs/decisions/0026).
"""

from __future__ import annotations

import itertools
import secrets
from time import perf_counter
from typing import Any
from urllib.parse import quote, unquote

from kartoteka.access.users import Role
from kartoteka.admin.bodies import ClientGone, read_form
from kartoteka.admin.csrf import check_origin, check_token
from kartoteka.admin.kept_form import keep
from kartoteka.admin.pages.sign_in import sign_in_form
from kartoteka.admin.replies import HTML, PRIVATE, SAFE, Reply, redirect
from kartoteka.admin.request import FLASH_COOKIE, SESSION_COOKIE, Request
from kartoteka.admin.routes import PAGES
from kartoteka.admin.routing import Page, Table
from kartoteka.admin.services import Services
from kartoteka.admin.static_files import FOR_EVER, assets
from kartoteka.errors import (
    Conflict,
    DatabaseUnavailable,
    Forbidden,
    InvalidRequest,
    KartotekaError,
    NotFound,
    RateLimited,
    TooLarge,
)
from kartoteka.log import logger

BASE = "/admin"
SIGN_IN = "/admin/sign-in"
STATUS: dict[type[KartotekaError], int] = {
    InvalidRequest: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    RateLimited: 429,
    DatabaseUnavailable: 503,
}


class PageNotFound(NotFound):
    """There is no such page."""

    code = "unknown_page"


class NotYourRole(Forbidden):
    """Your role does not allow this; ask an owner of this account."""

    code = "not_your_role"


def status_of(error: Exception) -> int:
    """The HTTP status of an error; what is none of ours is a fault, 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


class Admin:
    """Answers everything under /admin."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._table = Table(PAGES)
        self._process = secrets.token_hex(5)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = perf_counter()
        path = scope["path"].rstrip("/") or BASE
        if path.startswith("/admin/static/"):
            await _send_asset(path.removeprefix("/admin/static/"), scope, send)
            return
        request_id = f"a{self._process}-{next(self._numbers):x}"
        found = self._table.find(path)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        page = None if found is None else found[0].get(method)
        request = Request(self._services, scope, receive, request_id, page or _NOWHERE)
        try:
            if page is not None and found is not None:
                request.params = {name: unquote(text) for name, text in found[1].items()}
            reply = await self._answer(request)
        except ClientGone:
            return
        await _send(reply, request, send)
        logger.info(
            "page",
            method=method[:16],
            page=request.page.path,
            status=reply.status,
            ms=round((perf_counter() - started) * 1000, 1),
            request_id=request_id,
            user_id=request.grant.user_id if request.grant else None,
        )

    async def _answer(self, request: Request) -> Reply:
        try:
            if request.cookies.get(SESSION_COOKIE):
                await self._recognise(request)
            page = request.page
            if page.role is not None and request.grant is None:
                return await _to_sign_in(request)
            _check_role(request)
            if page.method == "POST":
                await self._read_form(request)
            return await page.handler(request)
        except KartotekaError as error:
            return _error_page(request, error, status_of(error))
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - the last resort, logged
            logger.exception("failed", page=request.page.path, request_id=request.request_id)
            return _error_page(request, KartotekaError(), 500)

    async def _recognise(self, request: Request) -> None:
        text = request.cookies[SESSION_COOKIE]
        session = await self._services.sessions.find(text)
        if session is not None:
            request.enter(session, text)

    async def _read_form(self, request: Request) -> None:
        """The form, which must come from a page of ours (CSRF)."""
        check_origin(request)
        if request.page.uploads:
            return
        request.form = await read_form(request.receive, request.headers)
        check_token(request, request.form)


def _check_role(request: Request) -> None:
    if request.page.role is not None and not request.may(request.page.role):
        raise NotYourRole


async def _to_sign_in(request: Request) -> Reply:
    if request.is_part:  # the script follows it with the whole page
        return Reply(b"", 204, None, ((b"hx-redirect", SIGN_IN.encode()),))
    if (kept := await keep(request)) is not None:
        return sign_in_form(request, kept=kept, status=401)
    if request.page.method != "GET" or request.path in ("", BASE):
        return redirect(SIGN_IN)
    raw = request.scope["query_string"].decode("latin-1")
    back = request.path + (f"?{raw}" if raw else "")
    return redirect(f"{SIGN_IN}?next={quote(back, safe='')}")


def _error_page(request: Request, error: KartotekaError, status: int) -> Reply:
    try:
        reply = request.render("error.html", status, error=error, status=status)
    except Exception:  # noqa: BLE001 - even the page of errors may meet one
        logger.exception("failed", page="error", request_id=request.request_id)
        return Reply(b"<h1>500</h1>", 500, HTML)
    if isinstance(error, RateLimited):
        reply.with_header(b"retry-after", str(error.retry_after_s).encode())
    return reply


async def _nowhere(_request: Request) -> Reply:
    raise PageNotFound


_NOWHERE = Page(method="GET", path="unmatched", role=Role.READER, handler=_nowhere)


async def _send(reply: Reply, request: Request, send: Any) -> None:
    headers = [*SAFE, PRIVATE, (b"x-request-id", request.request_id.encode()), *reply.headers]
    if FLASH_COOKIE in request.cookies and reply.status == 200 and not request.is_part:
        gone = f"{FLASH_COOKIE}=; Path=/admin; Max-Age=0; HttpOnly; SameSite=Lax"
        headers.append((b"set-cookie", gone.encode()))
    if request.is_https:
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    if reply.content_type is not None:
        headers.append((b"content-type", reply.content_type))
    if reply.stream is None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.stream is not None and request.scope["method"] != "HEAD":
        async for piece in reply.stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": reply.body})


async def _send_asset(name: str, scope: Any, send: Any) -> None:
    asset = assets().get(name)
    if asset is None or scope["method"] not in ("GET", "HEAD"):
        status = 404 if asset is None else 405
        start = {"type": "http.response.start", "status": status}
        await send({**start, "headers": [*SAFE, (b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
    packed = asset.packed if b"gzip" in accepted else None
    body = asset.body if packed is None else packed
    headers = [
        *SAFE,
        (b"content-type", asset.content_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", FOR_EVER if scope["query_string"] else b"no-cache"),
        (b"vary", b"accept-encoding"),
    ]
    if packed is not None:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
