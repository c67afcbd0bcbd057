"""Websites of an account: domains, the script to embed, web push (wire 9.5)."""

from __future__ import annotations

import re
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.activity.sites.model import Site
from kartoteka.activity.sites.rules import read_domain
from kartoteka.activity.sites.script import delivered, etag, is_site_key, snippet
from kartoteka.activity.sites.service_worker import SERVICE_WORKER, registration
from kartoteka.api.answers import Answer, Header, json_answer, list_answer
from kartoteka.api.call import Call
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Parameter, Reply, Route, Schema
from kartoteka.errors import InvalidRequest, NotFound

TEXT = b"text/plain; charset=utf-8"
SCRIPT = b"text/javascript; charset=utf-8"
SCRIPT_AGE_S = 300
"""Browsers ask again after five minutes: so long a change of settings takes."""
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
MAX_WORKER_CHARS = 255


class InvalidDomain(InvalidRequest):
    """The domain must be the name of a website, such as shop.example."""

    code = "invalid_domain"


class NoDomain(InvalidRequest):
    """Register the website's domain first: POST /api/v1/site/domains."""

    code = "no_domain"


async def add_domain(call: Call) -> Answer:
    """POST /api/v1/site/domains: 201 new, 200 known, with its siteId (wire X6)."""
    body = await call.json_object()
    domain = _domain(body.get("domain"))
    site, new = await call.services.sites.add(call.account.account_id, domain)
    result = "Domain added" if new else "Domain already exists"
    return json_answer({**_shown(site), "result": result}, 201 if new else 200)


async def list_domains(call: Call) -> Answer:
    """GET /api/v1/site/domains."""
    sites = await _sites(call)
    return list_answer([_shown(site) for site in sites], len(sites))


async def remove_domain(call: Call) -> Answer:
    """DELETE /api/v1/site/domains?domain=: our own."""
    domain = _domain(call.query.get("domain"))
    if not await call.services.sites.remove(call.account.account_id, domain):
        raise NotFound("This domain is not registered.")
    return json_answer({"domain": domain, "result": "Domain removed"})


async def site_script(call: Call) -> Answer:
    """GET /api/v1/site/script: the snippet that a page embeds, as text."""
    site = await _site(call)
    return Answer(snippet(_own_host(call), site.site_key).encode(), content_type=TEXT)


async def signing_key(call: Call) -> Answer:
    """GET /api/v1/site/signing-key: what External IDs are signed with (setting `signed_claims`)."""
    return json_answer({"signingKey": call.services.signer.key_of(call.account.account_id)})


async def script(call: Call) -> Answer:
    """GET /scripts/{site key}.js: the tracker with the settings of its account."""
    name = call.params["name"]
    key = name.removesuffix(".js")
    site = await call.services.sites.find(key) if name != key and is_site_key(key) else None
    if site is None:
        raise NotFound("No website has this key.")
    account = await call.services.accounts.context(site.account_id)
    body = delivered(
        site.site_key,
        site.domain,
        account.org_id,
        respect_do_not_track=account.settings.respect_do_not_track,
    )
    tag = etag(body)
    headers: tuple[Header, ...] = (
        (b"cache-control", b"public, max-age=%d, stale-while-revalidate=86400" % SCRIPT_AGE_S),
        (b"etag", tag),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    )
    known = call.headers.get(b"if-none-match", b"")
    if tag in known or known == b"*":
        return Answer(b"", 304, None, headers)
    return Answer(body, content_type=SCRIPT, headers=headers)


async def add_web_push(call: Call) -> Answer:
    """POST /api/v1/site/webpush/domains: where the service worker of a website is."""
    body = await call.json_object()
    given = body.get("domains", body)
    rows = given if isinstance(given, list) else [given]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InvalidDomain
    wanted = [(_domain(row.get("domain")), _worker(row)) for row in rows]
    for domain, worker in wanted:
        await call.services.sites.add(call.account.account_id, domain)
        await call.services.sites.set_web_push(call.account.account_id, domain, worker)
    success = [{"domain": domain, "status": "ok"} for domain, _ in wanted]
    return json_answer({"success": success[0] if len(success) == 1 else success, "result": "ok"})


async def list_web_push(call: Call) -> Answer:
    """GET /api/v1/site/webpush/domains."""
    sites = [site for site in await _sites(call) if site.web_push is not None]
    return list_answer([_shown_web_push(site) for site in sites], len(sites))


async def remove_web_push(call: Call) -> Answer:
    """DELETE /api/v1/site/webpush/domains?domain=: the domain itself stays."""
    domain = _domain(call.query.get("domain"))
    site = await call.services.sites.set_web_push(call.account.account_id, domain, None)
    if site is None:
        raise NotFound("This domain is not registered.")
    return json_answer({"domain": domain, "result": "ok"})


async def web_push_script(call: Call) -> Answer:
    """GET /api/v1/site/webpush/script?domain=: what the page embeds, and the worker's file."""
    site = await _site(call)
    if site.web_push is None:
        raise InvalidRequest(
            "Web push is not set up for this domain: POST /api/v1/site/webpush/domains."
        )
    return json_answer(
        {
            "script": snippet(_own_host(call), site.site_key) + "\n" + registration(site.web_push),
            "serviceWorker": SERVICE_WORKER,
        }
    )


async def _sites(call: Call) -> list[Site]:
    return await call.services.sites.all(call.account.account_id)


async def _site(call: Call) -> Site:
    """The website that the parameter `domain` names, else the first one."""
    sites = await _sites(call)
    if "domain" in call.query:
        domain = _domain(call.query["domain"])
        sites = [one for one in sites if one.domain == domain]
    if not sites:
        raise NoDomain
    return sites[0]


def _domain(raw: Any) -> str:
    domain = read_domain(raw)
    if domain is None:
        raise InvalidDomain
    return domain


def _worker(row: dict[str, Any]) -> dict[str, str]:
    """Name, path and scope of the service worker, as far as they are given."""
    worker: dict[str, str] = {}
    for member in ("serviceWorkerName", "serviceWorkerPath", "serviceWorkerScope"):
        text = row.get(member)
        if text is None:
            continue
        if not isinstance(text, str) or len(text) > MAX_WORKER_CHARS:
            raise InvalidRequest(f"{member} must be a text of up to {MAX_WORKER_CHARS} characters.")
        worker[member] = text
    return worker


def _own_host(call: Call) -> str:
    """The name under which the caller reached this server: pages reach it there too."""
    host = call.headers.get(b"host", b"").decode("latin-1")
    if not _HOST.fullmatch(host):
        raise InvalidRequest("The header Host must name this server.")
    return host


def _shown(site: Site) -> dict[str, Any]:
    return {"domain": site.domain, "siteId": site.site_key}


def _shown_web_push(site: Site) -> dict[str, Any]:
    return {"domain": site.domain, **(site.web_push or {})}


_DOMAIN_PARAMETER = Parameter("domain", "A registered domain.", required=True)
_WHICH = Parameter("domain", "Which of several websites; else the first one registered.")
_SITE: Schema = {
    "type": "object",
    "required": ["domain", "siteId"],
    "properties": {
        "domain": {"type": "string"},
        "siteId": {"type": "string"},
        "result": {"type": "string"},
    },
}
_RESULT: Schema = {"type": "object", "properties": {"result": {"type": "string"}}}
_DOMAIN_BODY: Schema = {
    "type": "object",
    "required": ["domain"],
    "properties": {"domain": {"type": "string", "examples": ["shop.example"]}},
}
_WEB_PUSH: Schema = {
    "type": "object",
    "properties": {
        "domain": {"type": "string"},
        "serviceWorkerName": {"type": "string"},
        "serviceWorkerPath": {"type": "string"},
        "serviceWorkerScope": {"type": "string"},
    },
}


def _route(method: str, path: str, operation: str, summary: str, **more: Any) -> Route:
    settings = {"right": Rights.FULL, "tag": "Sites", "errors": (400, 413, 415), **more}
    if method != "POST":
        settings["errors"] = (400, 404)
    return Route(method=method, path=path, operation=operation, summary=summary, **settings)


ROUTES = (
    _route(
        "POST",
        "/api/v1/site/domains",
        "addSiteDomain",
        "Register a website",
        endpoint=add_domain,
        description="A name or an address; a domain stands for all names under it.",
        body=_DOMAIN_BODY,
        replies={
            200: Reply("It was registered already.", _SITE),
            201: Reply("It is registered now.", _SITE),
        },
    ),
    _route(
        "GET",
        "/api/v1/site/domains",
        "siteDomains",
        "The account's websites",
        endpoint=list_domains,
        replies={200: Reply("All of them.", {"type": "array", "items": _SITE}, headers=COUNTED)},
    ),
    _route(
        "DELETE",
        "/api/v1/site/domains",
        "removeSiteDomain",
        "Forget a website",
        endpoint=remove_domain,
        description="Its script answers 404 and its messages are dropped; what was collected stays.",
        parameters=(_DOMAIN_PARAMETER,),
        replies={200: Reply("It is forgotten.", _RESULT)},
    ),
    _route(
        "GET",
        "/api/v1/site/script",
        "siteScript",
        "What a page embeds",
        endpoint=site_script,
        parameters=(_WHICH,),
        replies={200: Reply("HTML.", {"type": "string"}, media="text/plain")},
    ),
    _route(
        "GET",
        "/api/v1/site/signing-key",
        "siteSigningKey",
        "What claims are signed with",
        endpoint=signing_key,
        description="The key of the HMAC-SHA-256 of External IDs that the setting `signed_claims` asks "
        "for. For your own server; a page must never see it.",
        replies={
            200: Reply(
                "64 hexadecimal digits.",
                {
                    "type": "object",
                    "required": ["signingKey"],
                    "properties": {"signingKey": {"type": "string"}},
                },
            )
        },
    ),
    *(
        _route(
            "POST",
            path,
            operation,
            "Set up web push for a website",
            endpoint=add_web_push,
            body={
                "type": "object",
                "properties": {"domains": {"type": "array", "items": _WEB_PUSH}},
            },
            replies={200: Reply("It is set up.", _RESULT)},
        )
        for path, operation in (
            ("/api/v1/site/webpush/domains", "addWebpushDomain"),
            ("/api/v1/site/webpush/domain", "addWebpushDomain_1"),
        )
    ),
    _route(
        "GET",
        "/api/v1/site/webpush/domains",
        "webpushDomains",
        "Websites with web push",
        endpoint=list_web_push,
        replies={
            200: Reply("All of them.", {"type": "array", "items": _WEB_PUSH}, headers=COUNTED)
        },
    ),
    _route(
        "DELETE",
        "/api/v1/site/webpush/domains",
        "deleteWebpushDomain",
        "End web push of a website",
        endpoint=remove_web_push,
        parameters=(_DOMAIN_PARAMETER,),
        replies={200: Reply("It has none any more.", _RESULT)},
    ),
    _route(
        "GET",
        "/api/v1/site/webpush/script",
        "webpushScript",
        "What a page with web push embeds",
        endpoint=web_push_script,
        parameters=(_WHICH,),
        replies={
            200: Reply(
                "The page's script and the service worker's file.",
                {
                    "type": "object",
                    "required": ["script", "serviceWorker"],
                    "properties": {
                        "script": {"type": "string"},
                        "serviceWorker": {"type": "string"},
                    },
                },
            )
        },
    ),
    _route(
        "GET",
        "/scripts/{name}",
        "trackerScript",
        "The tracker of a website",
        right=None,
        cors=True,
        endpoint=script,
        parameters=(Parameter("name", "`<siteId>.js`.", place="path", required=True),),
        replies={
            200: Reply(
                "JavaScript.", {"type": "string"}, "text/javascript", {"ETag": "Of this version."}
            ),
            304: Reply("It is the one that the browser has."),
        },
    ),
)
