"""Signing in and out, one's own account: password, theme, switching accounts."""

from __future__ import annotations

from functools import partial

from kartoteka.access.sessions import Session, WrongPassword
from kartoteka.access.users import Role, WeakPassword
from kartoteka.admin import texts
from kartoteka.admin.bodies import Fields
from kartoteka.admin.frame import menu
from kartoteka.admin.kept_form import KeptForm, carried
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import ACCOUNT_COOKIE, SESSION_COOKIE, THEME_COOKIE, Request
from kartoteka.admin.routing import Page
from kartoteka.errors import RateLimited

COOKIE_DAYS_S = 30 * 86_400
THEMES = ("", "light", "dark")


async def form(request: Request) -> Reply:
    """GET /admin/sign-in."""
    if request.grant is not None:
        return request.go(_inside(request.query.one("next")))
    return sign_in_form(request, next_path=request.query.one("next"))


async def sign_in(request: Request) -> Reply:
    """POST /admin/sign-in: the same words whether the login exists or not."""
    fields: Fields = request.form
    login, next_path = fields.one("login"), fields.one("next")
    kept = carried(fields)
    again = partial(sign_in_form, request, next_path=next_path, login=login, kept=kept)
    try:
        text = await request.services.sessions.sign_in(
            login, fields.raw("password"), request.address
        )
    except WrongPassword as error:
        await request.services.users.note_failed_sign_in(login, request.address, request.request_id)
        return again(problem=error.message, status=401)
    except RateLimited as error:
        reply = again(problem=error.message, status=429)
        return reply.with_header(b"retry-after", str(error.retry_after_s).encode())
    if old := request.cookies.get(SESSION_COOKIE):
        await request.services.sessions.end(old)
    session = await request.services.sessions.find(text)
    await _note_sign_in(request, session)
    if kept is None or session is None:
        reply = request.go(_inside(next_path))
    else:
        reply = _send_again(request, session, text, kept)
    request.set_cookie(reply, SESSION_COOKIE, text, max_age_s=COOKIE_DAYS_S)
    return reply


async def _note_sign_in(request: Request, session: Session | None) -> None:
    """A line in the audit log of every account that the session reaches."""
    for grant in session.grants if session is not None else ():
        await request.services.users.note(
            grant.account.account_id,
            grant.user_id,
            login=grant.login,
            action="signed_in",
            subject="",
            request_id=request.request_id,
        )


def sign_in_form(
    request: Request,
    *,
    next_path: str = "",
    login: str = "",
    problem: str = "",
    kept: KeptForm | None = None,
    status: int = 200,
) -> Reply:
    """The page that asks who is there; it carries a form that came after the end of its session."""
    return request.render(
        "sign_in.html", status, next=next_path, login=login[:100], problem=problem, kept=kept
    )


def _send_again(request: Request, session: Session, text: str, kept: KeptForm) -> Reply:
    """What was entered before the session ended, and a button: nothing is sent by itself."""
    request.enter(session, text)
    return request.render("send_again.html", kept=kept)


def _inside(path: str) -> str:
    """The path if it is one of ours, else the first page: nobody is led to another site."""
    is_ours = path.startswith("/admin") and path[6:7] in ("", "/", "?")
    plain = path.isprintable() and "\\" not in path
    return path if is_ours and plain else "/admin"


async def sign_out(request: Request) -> Reply:
    """POST /admin/sign-out."""
    await request.services.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    reply = request.go("/admin/sign-in", "signed_out")
    request.set_cookie(reply, SESSION_COOKIE, "", max_age_s=0)
    return reply


async def account(request: Request) -> Reply:
    """GET /admin/account."""
    return request.render("account.html", errors={})


async def change_password(request: Request) -> Reply:
    """POST /admin/account/password: every other session ends, in all accounts with that password."""
    old, new = request.form.raw("old"), request.form.raw("new")
    users, session = request.services.users, request.session
    assert session is not None
    if new != request.form.raw("again"):
        return _refused(request, "again", texts.text("account.differs"))
    if not await users.is_password_of(request.account_id, request.me.user_id, old):
        return _refused(request, "old", texts.text("account.wrong"))
    try:
        for grant in session.grants:
            mine = grant.account.account_id, grant.user_id
            if await users.is_password_of(*mine, old):
                await users.set_password(*mine, new, but=session.hash)
    except WeakPassword as error:
        return _refused(request, "new", error.message)
    await request.note("password_changed")
    return request.go("/admin/account", "password_changed")


def _refused(request: Request, field: str, message: str) -> Reply:
    return request.render("account.html", 400, errors={field: message})


async def switch_account(request: Request) -> Reply:
    """POST /admin/account/switch: to another account that this session reaches."""
    reply = request.go("/admin")
    request.set_cookie(
        reply, ACCOUNT_COOKIE, str(request.form.number("account")), max_age_s=COOKIE_DAYS_S
    )
    return reply


async def change_theme(request: Request) -> Reply:
    """POST /admin/theme."""
    theme = request.form.one("theme")
    reply = request.go(_inside(request.form.one("back")))
    request.set_cookie(
        reply, THEME_COOKIE, theme if theme in THEMES else "", max_age_s=365 * 86_400
    )
    return reply


SHORTCUTS = (
    (("/",), "search"),
    (("n",), "new"),
    (("j", "k"), "rows"),
    (("space",), "peek"),
    (("m", "n", "→"), "pair"),
    (("?",), "help"),
)
"""(keys, what they do) beside those that lead to the pages of the menu."""


async def shortcuts(request: Request) -> Reply:
    """GET /admin/shortcuts."""
    rows = [(keys, texts.text(f"shortcuts.{name}")) for keys, name in SHORTCUTS]
    rows += [
        (("g", item.key), texts.text("shortcuts.go", where=texts.text(f"menu.{item.name}")))
        for item in menu(request)
    ]
    return request.render("shortcuts.html", shortcuts=rows)


PAGES = (
    Page(method="GET", path="/admin/sign-in", role=None, handler=form),
    Page(method="POST", path="/admin/sign-in", role=None, handler=sign_in),
    Page(method="POST", path="/admin/sign-out", role=Role.READER, handler=sign_out),
    Page(method="GET", path="/admin/account", role=Role.READER, handler=account),
    Page(method="POST", path="/admin/account/password", role=Role.READER, handler=change_password),
    Page(method="POST", path="/admin/account/switch", role=Role.READER, handler=switch_account),
    Page(method="POST", path="/admin/theme", role=Role.READER, handler=change_theme),
    Page(method="GET", path="/admin/shortcuts", role=Role.READER, handler=shortcuts),
)
