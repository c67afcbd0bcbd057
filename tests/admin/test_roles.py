"""Part 7: every page of the table with every role, without the token of its form, from another account;
and what each of them writes stands in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from kartoteka.access.users import Role
from kartoteka.admin.routes import PAGES
from kartoteka.admin.routing import Page, Table
from tests.admin.command import command
from tests.admin.conftest import PASSWORD, Visitor, eventually
from tests.conftest import Server

OK, SEE_OTHER, FORBIDDEN, NOT_FOUND = 200, 303, 403, 404
OTHER = "roles-outlet"
LOOKS_ONLY = {
    "/admin/sign-out", "/admin/account/switch", "/admin/theme", "/admin/home/steps",
    "/admin/contacts/columns", "/admin/segments/build", "/admin/imports/file/{token}",
    "/admin/exports/form", "/admin/exports/{id}/check", "/admin/simulator",
    "/admin/settings/account/what-if", "/admin/settings/websites/{domain}/check",
}  # fmt: skip
"""Posts that write nothing, or only how somebody likes the pages: no line in the audit log."""


class World(msgspec.Struct):
    """What is there to be looked at and changed, by the beginning of its path."""

    ids: dict[str, int]
    token: str
    domain: str
    app_id: str
    merged: tuple[int, int]

    def path(self, template: str) -> str:
        """A path of this world."""
        path = template.replace("{contact_id}", str(self.ids["/admin/contacts/"]))
        path = path.replace("{part}", "profile").replace("{token}", self.token)
        path = path.replace("{domain}", self.domain).replace("{app}", self.app_id)
        if "{id}" in path:
            (known,) = (one for begin, one in self.ids.items() if path.startswith(begin))
            path = path.replace("{id}", str(known))
        return path


QUERY = {
    "/admin/quarantine/release": "?kind=device&value=nobody-has-this",
    "/admin/merge": "?keep={keep}&absorb={absorb}",
}


def form_of(path: str, world: World) -> dict[str, Any]:
    """What the form of that page says, so that it has an effect."""
    contact = world.ids["/admin/contacts/"]
    keep, absorb = world.merged
    forms: dict[str, dict[str, Any]] = {
        "/admin/account/password": {"old": PASSWORD, "new": PASSWORD, "again": PASSWORD},
        "/admin/contacts/bulk": {"action": "remove", "sure": "1", "pick": str(contact)},
        "/admin/contacts/new": {"externalCustomerId": "made-by-hand"},
        "/admin/contacts/{id}/edit/{part}": {"firstName": "Bob", "was.firstName": "Ann"},
        "/admin/contacts/{id}/consent": {"category": "news"},
        "/admin/contacts/{id}/erase": {"typed": str(contact)},
        "/admin/segments/save": {
            "name": "Nobody", "w.in.0.field": "externalCustomerId", "w.in.0.operator": "is_empty",
            "w.in.join": "all", "segment_id": str(world.ids["/admin/segments/"]),
        },
        "/admin/segments/new-list": {"name": "A list by hand"},
        "/admin/segments/{id}/rename": {"name": "Another name"},
        "/admin/exports/new": {
            "target": "files", "name": "By hand", "settings.format": "csv", "dataset": "contacts",
            "settings.folder": "roles-by-hand", "filled": "1",
        },
        "/admin/exports/{id}/edit": {
            "name": "Renamed", "settings.format": "csv", "settings.folder": "roles",
            "dataset": "contacts", "filled": "1",
        },
        "/admin/duplicates/not-the-same": {"one": keep, "other": contact},
        "/admin/duplicates/apart": {"one": keep, "other": contact},
        "/admin/merge": {"keep": keep, "absorb": absorb},
        "/admin/simulator/send": {"method": "update", "contact_id": contact, "firstName": "Cyd"},
        "/admin/settings/keys": {"kind": "server", "rights": "full"},
        "/admin/settings/keys/{id}": {"action": "disable"},
        "/admin/settings/fields/new": {"name": "By hand", "type": "TEXTFIELD"},
        "/admin/settings/fields/{id}": {"name": "Renamed"},
        "/admin/settings/categories": {"key": "by-hand", "name": "By hand"},
        "/admin/settings/websites": {"domain": "by-hand.example"},
        "/admin/settings/apps": {"name": "By hand", "kind": "mobile"},
        "/admin/settings/apps/change": {"app_id": world.app_id, "action": "trust"},
        "/admin/settings/event-types": {"key": "byHand"},
        "/admin/settings/webhooks": {"url": "https://hook.example/x", "event": "contact.created"},
        "/admin/settings/webhooks/{id}": {"action": "disable"},
        "/admin/settings/account": {"currency": "EUR"},
        "/admin/settings/users": {"login": "by-hand", "password": PASSWORD, "role": "reader"},
        "/admin/settings/users/{id}": {"action": "role", "role": "marketer"},
    }  # fmt: skip
    return forms.get(path, {})


def _basic(server: Server, key: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, auth=("", key), timeout=60)


def build(server: Server, client: httpx.Client, owner: Visitor) -> World:
    """One of everything, in the account of that key and owner."""

    def made(path: str, body: object) -> Any:
        return client.post(path, json=body).raise_for_status().json()

    def last(path: str, pattern: str) -> str:
        found = re.findall(pattern, owner.get(path).raise_for_status().text)
        assert found, path
        return str(found[-1])

    people = [
        made("/api/v1/contact", {"externalCustomerId": f"p{n}", "firstName": "Ann"})["id"]
        for n in range(4)
    ]
    merged = made("/api/v1/merges", {"keep": people[1], "absorb": people[2]})
    known = {"field": "externalCustomerId", "operator": "is_set"}
    segment_id = made("/api/v1/segments", {"name": "Known", "condition": known})["id"]
    export = {"name": "Copy", "target": "files", "settings": {"format": "csv", "folder": "roles"}}
    export_id = made("/api/v1/exports", {**export, "datasets": ["contacts"], "paused": True})["id"]
    for path, fields in (
        ("/admin/settings/users", {"login": "somebody", "password": PASSWORD, "role": "reader"}),
        ("/admin/settings/keys", {"kind": "server", "rights": "full", "description": "spare"}),
        ("/admin/settings/fields/new", {"name": "Colour", "type": "TEXTFIELD"}),
        ("/admin/settings/webhooks", {"url": "https://hook.example/", "event": "contact.created"}),
        ("/admin/settings/apps", {"name": "App", "kind": "mobile", "app_id": "roles-app"}),
        ("/admin/settings/websites", {"domain": "roles.example"}),
        ("/admin/settings/categories", {"key": "news", "name": "News"}),
    ):
        assert owner.submit(path, **fields).status_code in (OK, SEE_OTHER), path
    rows = [{"externalCustomerId": f"row{n}"} for n in range(3)]
    call = made("/api/v1/contacts", {"contacts": rows, "dedupeOn": "email"})
    status = f"/api/v1/importstatus/{call['asyncSessionId']}"
    eventually(lambda: client.get(status).json()["status"] == "FINISHED")
    settings = "/admin/settings/"
    return World(
        ids={
            "/admin/contacts/": people[0],
            "/admin/merges/": merged.get("mergeId") or merged["id"],
            "/admin/segments/": segment_id,
            "/admin/exports/": export_id,
            "/admin/imports/": int(last("/admin/imports", r"/admin/imports/(\d+)\"")),
            f"{settings}users/": int(last(f"{settings}users", r"users/(\d+)\"><bdi>somebody")),
            f"{settings}keys/": int(last(f"{settings}keys", r"keys/(\d+)\"")),
            f"{settings}fields/": int(last(f"{settings}fields", r"fields/(\d+)\"")),
            f"{settings}webhooks/": int(last(f"{settings}webhooks", r"webhooks/(\d+)\"")),
        },
        token=upload(owner),
        domain="roles.example",
        app_id="roles-app",
        merged=(people[3], people[1]),
    )


def upload(owner: Visitor) -> str:
    """A file that waits to be imported: its token."""
    file = {"file": ("people.csv", b"External ID\nfrom-a-file\n", "text/csv")}
    answer = owner.post("/admin/imports/upload", data={"csrf": owner.csrf}, files=file)
    return answer.headers["location"].rpartition("/")[2]


@pytest.fixture(scope="module")
def account(admin_server: Server) -> Iterator[tuple[httpx.Client, Visitor, World]]:
    """An account of its own with one of everything: (the API, its owner, what is there)."""
    command(admin_server, "accounts", "create", OTHER)
    made = command(admin_server, "users", "create", "roles-owner", "--account", OTHER)
    key = command(admin_server, "keys", "create", "--account", OTHER).split("\n")[1]
    with (
        _basic(admin_server, key) as client,
        Visitor(base_url=admin_server.url, timeout=60) as owner,
    ):
        password = re.search(r"Password: (\S+)", made)[1]
        assert owner.sign_in("roles-owner", password).status_code == SEE_OTHER
        users = {"login": "roles-{}", "password": PASSWORD}
        for role in ("marketer", "reader"):
            fields = {**users, "login": f"roles-{role}", "role": role}
            assert owner.submit("/admin/settings/users", **fields).status_code == SEE_OTHER
        new = {"old": password, "new": PASSWORD, "again": PASSWORD}
        assert owner.submit("/admin/account/password", **new).status_code == SEE_OTHER
        yield client, owner, build(admin_server, client, owner)


def ask(one: Visitor, page: Page, world: World, **fields: Any) -> httpx.Response:
    """The page with things that are there; a POST with its form."""
    path = world.path(page.path)
    if page.method == "GET":
        query = QUERY.get(page.path, "").format(keep=world.merged[0], absorb=world.merged[1])
        return one.get(path + query)
    if page.uploads:
        file = {"file": ("x.csv", b"a,b\n1,2\n", "text/csv")}
        return one.post(path, data=fields, files=file)
    return one.post(path, data={**form_of(page.path, world), **fields})


@pytest.mark.parametrize("role", list(Role))
def test_every_page_is_read_and_written_by_the_roles_that_may(admin_server, account, role):
    """What a role may is answered, what it may not is refused, and no form counts without its token."""
    _, owner, world = account
    with closing(Visitor(base_url=admin_server.url, timeout=60)) as other:
        one = owner
        if role is not Role.OWNER:
            one = other
            assert one.sign_in(f"roles-{role.value}", PASSWORD).status_code == SEE_OTHER
        reached = 0
        for page in PAGES:
            if page.path == "/admin/sign-in":
                continue
            if page.method == "POST":
                refused = ask(one, page, world)
                assert refused.status_code == FORBIDDEN, page.path
                refused = ask(one, page, world, csrf="0" * 32)
                assert refused.status_code == FORBIDDEN, page.path
            assert page.role is not None
            if not role.may(page.role):
                answer = ask(one, page, world, csrf=one.csrf)
                assert answer.status_code == FORBIDDEN, page.path
            elif page.method == "GET":
                answer = ask(one, page, world)
                fine = (OK, SEE_OTHER, 409) if "quarantine" in page.path else (OK, SEE_OTHER)
                assert answer.status_code in fine, (page.path, answer.status_code)
                reached += 1
        assert reached >= 30
        if role is Role.READER:
            many = {"action": "remove", "sure": "1", "pick": str(world.ids["/admin/contacts/"])}
            assert one.submit("/admin/contacts/bulk", **many).status_code == FORBIDDEN


class Offers(HTMLParser):
    """What a page offers: (method, path) of its links, forms and buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self._method = "GET"
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._method = said.get("method", "get").upper()
        offered = [
            ("GET", said.get("href") if tag == "a" else None),
            ("GET", said.get("hx-get")),
            ("POST", said.get("hx-post")),
            (self._method, said.get("action") or said.get("formaction")),
        ]
        self.found |= {(method, path) for method, path in offered if path and path[:6] == "/admin"}


@pytest.mark.parametrize("role", [Role.READER, Role.MARKETER])
def test_nobody_is_offered_what_is_refused(admin_server, account, role):
    """No link, form or button of any page leads to one that the role may not have."""
    _, _, world = account
    table = Table(PAGES)
    refused: dict[str, set[tuple[str, str]]] = {}
    offered = 0
    with closing(Visitor(base_url=admin_server.url, timeout=60)) as one:
        assert one.sign_in(f"roles-{role.value}", PASSWORD).status_code == SEE_OTHER
        for page in PAGES:
            if page.method != "GET" or page.role is None or not role.may(page.role):
                continue
            answer = ask(one, page, world)
            if answer.status_code != OK or "html" not in answer.headers["content-type"]:
                continue
            found = Offers(answer.text).found
            offered += len(found)
            for method, path in found:
                known = table.find(urlsplit(path).path)
                assert known is not None, (page.path, path)
                wanted = known[0][method].role
                if wanted is not None and not role.may(wanted):
                    refused.setdefault(page.path, set()).add((method, path))
    assert not refused
    assert offered > 300


def test_what_belongs_to_another_account_is_not_there(admin_server, account, owner):
    """The owner of the first account asks for everything of this one, by path and by form."""
    client, _, world = account

    def everything() -> list[Any]:
        contact = world.ids["/admin/contacts/"]
        paths = (f"contact/{contact}", f"contact/{contact}/identity", "segments", "exports", "apps")
        return [client.get(f"/api/v1/{path}").raise_for_status().json() for path in paths]

    before = everything()
    asked = 0
    by_form = {
        "/admin/segments/save", "/admin/duplicates/not-the-same", "/admin/merge",
        "/admin/duplicates/apart",
        "/admin/simulator/send", "/admin/settings/apps/change",
    }  # fmt: skip
    for page in PAGES:
        if "{" not in page.path and not (page.method == "POST" and page.path in by_form):
            continue
        answer = ask(owner, page, world, **({"csrf": owner.csrf} if page.method == "POST" else {}))
        expected = (400, 404, 409) if page.path in by_form else (404, 409)
        assert answer.status_code in expected, (page.method, page.path, answer.status_code)
        asked += 1
    many = {"action": "remove", "sure": "1", "pick": str(world.ids["/admin/contacts/"])}
    owner.submit("/admin/contacts/bulk", **many)
    assert asked > 40
    assert everything() == before


def test_what_nobody_has_is_not_found(account):
    """Numbers as long as a path takes them, names as long as a form does: never a fault of ours."""
    _, owner, _ = account
    longest = "9" * 18
    left_out = (
        "/admin/home/nameless",
        "/admin/duplicates/search",
        "/admin/sign-in",
        "/admin/sign-out",
    )
    for page in PAGES:
        path = page.path.replace("{part}", "profile")
        for name in ("id", "contact_id"):
            path = path.replace(f"{{{name}}}", longest)
        for name in ("token", "domain", "app"):
            path = path.replace(f"{{{name}}}", "x" * 300)
        if path == page.path:
            continue
        answer = owner.get(path) if page.method == "GET" else owner.submit(path)
        assert answer.status_code in (400, 404, 409), (page.method, page.path, answer.status_code)
    numbers = (
        "pick",
        "list",
        "keep",
        "absorb",
        "one",
        "other",
        "segment",
        "segment_id",
        "contact_id",
    )
    for path, form in (
        ("/admin/segments/new", {"version": longest}),
        ("/admin/contacts", {"before": longest}),
        ("/admin/merge", {"keep": longest, "absorb": longest}),
        ("/admin/settings/audit", {"before": longest}),
        ("/admin/imports", {"skip": longest}),
    ):
        assert owner.get(path, params=form).status_code < 500, path
    for page in PAGES:
        if page.method == "POST" and "{" not in page.path and page.path not in left_out:
            form = dict.fromkeys(numbers, longest)
            for action in ("", "attach", "remove"):
                answer = owner.submit(page.path, **form, action=action)
                assert answer.status_code < 500, (page.path, action)


def newest(owner: Visitor) -> int:
    """The number of the newest line of the audit log."""
    found = re.search(r'<tr id="a(\d+)"', owner.get("/admin/settings/audit").text)
    return int(found[1]) if found else 0


def test_every_write_is_in_the_audit_log(admin_server, account):
    """Every page that writes, in an order in which each has something to write."""
    _, owner, world = account
    late = ("apart", "remove", "restore", "erase", "undo", "delete", "password", "bulk", "merge")
    writes = [
        page
        for page in PAGES
        if page.method == "POST" and page.path not in {*LOOKS_ONLY, "/admin/sign-in"}
    ]
    assert {page.path for page in PAGES} >= LOOKS_ONLY
    writes.sort(key=lambda page: next((n for n, w in enumerate(late) if page.path.endswith(w)), -1))
    # An upload writes nothing yet; the others are looked for by test_imports and test_merging.
    elsewhere = ("/admin/imports/upload", "/admin/quarantine/release")
    before = newest(owner)
    for page in writes:
        if page.path in elsewhere or page.path.startswith("/admin/imports/{id}"):
            continue
        answer = ask(owner, page, world, csrf=owner.csrf)
        assert answer.status_code in (OK, SEE_OTHER), (page.path, answer.text[-900:])
        now = newest(owner)
        assert now > before, page.path
        before = now
