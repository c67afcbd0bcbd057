"""Websites: their domains, the script to embed, and whether it is there."""

from __future__ import annotations

from kartoteka.access.users import Role
from kartoteka.activity.lately import last_visit_of
from kartoteka.activity.sites.installed import look_at
from kartoteka.activity.sites.model import Site
from kartoteka.activity.sites.rules import read_domain
from kartoteka.activity.sites.script import snippet
from kartoteka.admin import texts
from kartoteka.admin.pages.settings.asking import ask
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import InvalidRequest, NotFound

PATH = "/admin/settings/websites"


async def websites(request: Request) -> Reply:
    """GET /admin/settings/websites."""
    return await _page(request)


async def _page(request: Request, problem: str = "", status: int = 200) -> Reply:
    sites = await request.services.sites.all(request.account_id)
    visits = await request.services.lately.visits(request.account_id, request.at)
    host = request.headers.get(b"host", b"localhost").decode("latin-1")
    return request.render(
        "settings_websites.html",
        status,
        sites=sites,
        seen={site.domain: last_visit_of(site.domain, visits) for site in sites},
        snippets={site.domain: snippet(host, site.site_key) for site in sites},
        domain=request.form.one("domain"),
        problem=problem,
    )


async def add(request: Request) -> Reply:
    """POST /admin/settings/websites."""
    domain = read_domain(request.form.one("domain"))
    if domain is None:
        return await _page(request, str(texts.text("websites.wrong")), 400)
    await request.services.sites.add(request.account_id, domain)
    await request.note("website_added", domain)
    return request.go("/admin" if request.form.one("back") == "/admin" else PATH, "website_saved")


async def ask_remove(request: Request) -> Reply:
    """GET /admin/settings/websites/{domain}/remove."""
    site = await _site(request)
    return ask(
        request,
        "websites",
        site.domain,
        points=(("ban", "delete_stops"), ("history", "delete_stays")),
        action=f"{PATH}/{site.domain}/remove",
        back=PATH,
    )


async def remove(request: Request) -> Reply:
    """POST /admin/settings/websites/{domain}/remove."""
    site = await _site(request)
    await request.services.sites.remove(request.account_id, site.domain)
    await request.note("website_removed", site.domain)
    return request.go(PATH, "website_removed")


async def _site(request: Request) -> Site:
    for site in await request.services.sites.all(request.account_id):
        if site.domain == request.params["domain"]:
            return site
    raise NotFound("This domain is not registered.")


async def check(request: Request) -> Reply:
    """POST /admin/settings/websites/{domain}/check: looks at the first page for the script."""
    site = await _site(request)
    try:
        look = await look_at(request.services.outbound, site)
    except InvalidRequest as error:
        return request.render("website_check.html", found=None, reason=error.message)
    reason = "" if look.status < 400 else str(texts.text("websites.status", status=look.status))
    return request.render("website_check.html", found=look.is_there, reason=reason)


_ONE = f"{PATH}/{{domain}}"
PAGES = (
    Page(method="GET", path=PATH, role=Role.READER, handler=websites),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=add),
    Page(method="GET", path=f"{_ONE}/remove", role=Role.OWNER, handler=ask_remove),
    Page(method="POST", path=f"{_ONE}/remove", role=Role.OWNER, handler=remove),
    Page(method="POST", path=f"{_ONE}/check", role=Role.READER, handler=check),
)
