"""Part 7: sessions, roles, forms that come from elsewhere."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from kartoteka.access.users import Role
from kartoteka.admin.routes import PAGES
from tests.admin.conftest import LOGIN, PASSWORD, Visitor

SEE_OTHER, FORBIDDEN = 303, 403


@pytest.fixture
def owner(visitor: Visitor) -> Visitor:
    """The admin of the first start, in a session of their own."""
    assert visitor.sign_in().status_code == SEE_OTHER
    return visitor


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    answer = visitor.sign_in()
    (cookie,) = answer.headers.get_list("set-cookie")
    assert re.match(r"kartoteka_session=[\w-]{32}; Path=/admin; HttpOnly; SameSite=Lax", cookie)
    assert "Secure" not in cookie
    line = visitor.get("/admin/settings/audit").text
    assert "signed in" in line


def test_behind_https_the_cookie_is_secure(visitor):
    form = {"login": LOGIN, "password": PASSWORD}
    answer = visitor.post("/admin/sign-in", data=form, headers={"X-Forwarded-Proto": "https"})
    assert "; Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


def test_wrong_login_and_wrong_password_get_the_same_words(visitor):
    answers = [
        visitor.post("/admin/sign-in", data={"login": login, "password": "wrong-password"})
        for login in (LOGIN, "nobody-of-that-name")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    said = [answer.text.replace(LOGIN, "").replace("nobody-of-that-name", "") for answer in answers]
    assert said[0] == said[1]
    assert "set-cookie" not in answers[0].headers


def test_who_failed_to_sign_in_stands_in_the_log(owner, admin_server, name):
    """Of every account that has the login, and of no other; an unknown one in the oldest account's."""
    from tests.admin.command import command

    command(admin_server, "accounts", "create", name)
    command(admin_server, "users", "share", LOGIN, "--to", name)
    typed = f"{name}-{'z' * 30}"
    headers = {"X-Forwarded-For": "203.0.113.99"}
    with Visitor(base_url=admin_server.url) as one:
        for login in (LOGIN, typed):
            form = {"login": login, "password": "not the password"}
            assert one.post("/admin/sign-in", data=form, headers=headers).status_code == 401
    log = owner.get("/admin/settings/audit").text
    assert log.count(">address: 203.0.113.99") == 2
    assert "failed to sign in" in log
    assert f"{typed[:20]}…" in log
    assert typed not in log
    assert "not the password" not in log
    page = owner.get("/admin/account").text
    account = re.search(rf'value="(\d+)">(?:(?!value=).)*?<b>{name}</b>', page, re.DOTALL)
    if account is None:  # the session began before the account was shared
        owner.submit("/admin/sign-out")
        owner.sign_in()
        page = owner.get("/admin/account").text
        account = re.search(rf'value="(\d+)">(?:(?!value=).)*?<b>{name}</b>', page, re.DOTALL)
    owner.submit("/admin/account/switch", account=account[1])
    assert owner.get("/admin/settings/audit").text.count(">address: 203.0.113.99") == 1


def test_too_many_failures_of_an_address_are_answered_with_a_pause(visitor):
    """Behind a proxy that is trusted the address is the visitor's, not the proxy's."""
    here, there = ({"X-Forwarded-For": address} for address in ("203.0.113.5", "203.0.113.6"))
    too_long = "x" * 300  # is wrong without being hashed
    for n in range(30):
        form = {"login": f"nobody-{n}", "password": too_long}
        assert visitor.post("/admin/sign-in", data=form, headers=here).status_code == 401
    right = {"login": LOGIN, "password": PASSWORD}
    refused = visitor.post("/admin/sign-in", data=right, headers=here)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) <= 15 * 60
    assert "Too many attempts failed. Try again in" in refused.text
    assert visitor.post("/admin/sign-in", data=right, headers=there).status_code == SEE_OTHER


def test_too_many_failures_of_a_login_are_answered_with_a_pause(visitor, name):
    codes = [
        visitor.post(
            "/admin/sign-in",
            data={"login": name, "password": "x" * 300},
            headers={"X-Forwarded-For": f"203.0.113.{n + 20}"},
        ).status_code
        for n in range(11)
    ]
    assert codes == [401] * 10 + [429]


def test_every_page_but_the_sign_in_asks_who_is_there(visitor):
    for page in PAGES:
        path = page.path.replace("{id}", "1").replace("{part}", "profile").replace("{token}", "x")
        if page.role is not None:
            answer = visitor.request(page.method, path)
            assert answer.status_code == SEE_OTHER, page.path
            assert answer.headers["location"].startswith("/admin/sign-in")


def test_a_page_that_was_asked_for_is_shown_after_the_sign_in(visitor):
    away = visitor.get("/admin/contacts?q=ann")
    assert away.headers["location"] == "/admin/sign-in?next=%2Fadmin%2Fcontacts%3Fq%3Dann"
    form = {"login": LOGIN, "password": PASSWORD, "next": "/admin/contacts?q=ann"}
    assert visitor.post("/admin/sign-in", data=form).headers["location"] == "/admin/contacts?q=ann"


@pytest.mark.parametrize(
    "next_path", ["//evil.example", "https://evil.example", "/admin\\evil", "/administer"]
)
def test_nobody_is_led_to_another_site(visitor, next_path):
    form = {"login": LOGIN, "password": PASSWORD, "next": next_path}
    assert visitor.post("/admin/sign-in", data=form).headers["location"] == "/admin"


def test_a_form_without_the_token_of_its_session_is_refused(owner):
    assert owner.post("/admin/theme", data={"theme": "dark"}).status_code == FORBIDDEN
    assert (
        owner.post("/admin/theme", data={"theme": "dark", "csrf": "0" * 32}).status_code
        == FORBIDDEN
    )
    assert owner.submit("/admin/theme", theme="dark", back="/admin").status_code == SEE_OTHER


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
def test_a_form_of_another_site_is_refused_even_with_the_token(owner, headers):
    form = {"csrf": owner.csrf, "theme": "dark"}
    assert owner.post("/admin/theme", data=form, headers=headers).status_code == FORBIDDEN
    login = {"login": LOGIN, "password": PASSWORD}
    assert owner.post("/admin/sign-in", data=login, headers=headers).status_code == FORBIDDEN


def user(owner, admin_server, login: str, role: str) -> Visitor:
    made = owner.submit("/admin/settings/users", login=login, password=PASSWORD + "2", role=role)
    assert made.status_code == SEE_OTHER, made.text
    one = Visitor(base_url=admin_server.url, timeout=60)
    assert one.sign_in(login, PASSWORD + "2").status_code == SEE_OTHER
    return one


@pytest.mark.parametrize("role", [Role.MARKETER, Role.READER])
def test_a_role_reaches_its_pages_and_no_others(owner, admin_server, name, role):
    """Every page of the table that needs more is refused, before anything is done."""
    with closing(user(owner, admin_server, name, role.value)) as one:
        for page in PAGES:
            path = (
                page.path.replace("{id}", "999999").replace("{part}", "x").replace("{token}", "x")
            )
            if page.role is None or role.may(page.role) or page.path == "/admin/sign-out":
                continue
            answer = one.get(path) if page.method == "GET" else one.submit(path)
            assert answer.status_code == FORBIDDEN, page.path
        assert one.get("/admin/contacts").status_code == 200
        menu = one.get("/admin/settings").headers["location"]
        assert menu == "/admin/settings/fields"


def test_other_sessions_end_when_the_password_changes(owner, admin_server, name):
    with (
        closing(user(owner, admin_server, name, "reader")) as here,
        Visitor(base_url=admin_server.url) as there,
    ):
        assert there.sign_in(name, PASSWORD + "2").status_code == SEE_OTHER
        wrong = here.submit("/admin/account/password", old="nope", new="x" * 12, again="x" * 12)
        assert wrong.status_code == 400
        short = here.submit(
            "/admin/account/password", old=PASSWORD + "2", new="short", again="short"
        )
        assert short.status_code == 400
        new = "another password 3"
        done = here.submit("/admin/account/password", old=PASSWORD + "2", new=new, again=new)
        assert done.status_code == SEE_OTHER
        assert here.get("/admin").status_code == 200
        assert there.get("/admin").status_code == SEE_OTHER
        assert there.sign_in(name, PASSWORD + "2").status_code == 401
        assert there.sign_in(name, new).status_code == SEE_OTHER


def test_signing_out_ends_the_session_for_good(owner):
    cookie = owner.cookies["kartoteka_session"]
    assert owner.submit("/admin/sign-out").status_code == SEE_OTHER
    answer = owner.get("/admin", headers={"cookie": f"kartoteka_session={cookie}"})
    assert answer.status_code == SEE_OTHER


def test_pages_carry_a_strict_policy_and_no_cache_keeps_them(owner):
    for path in ("/admin", "/admin/contacts", "/admin/sign-in", "/admin/nowhere"):
        headers = owner.get(path).headers
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_an_account_needs_an_owner(owner):
    refused = owner.submit("/admin/settings/users/1", action="delete")
    assert refused.status_code == 409
    assert "needs an owner" in refused.text
    assert owner.submit("/admin/settings/users/1", action="role", role="reader").status_code == 409


def test_who_works_in_two_accounts_switches_between_them(owner, admin_server, name):
    """The same login with the same password; another password reaches only its own account."""
    from tests.admin.command import command

    command(admin_server, "accounts", "create", name)
    command(admin_server, "users", "share", LOGIN, "--to", name)
    with Visitor(base_url=admin_server.url) as one:
        one.sign_in()
        page = one.get("/admin/account").text
        account = re.search(rf'value="(\d+)">(?:(?!value=).)*?<b>{name}</b>', page, re.DOTALL)[1]
        assert one.submit("/admin/account/switch", account=account).status_code == SEE_OTHER
        assert name in one.get("/admin").text
        assert "shop-1" not in one.get("/admin/contacts?q=ann").text
        # An account that this session does not reach is not reached.
        one.submit("/admin/account/switch", account="424242")
        assert "main" in one.get("/admin").text
