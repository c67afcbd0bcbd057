"""What a liar can do with public calls: put their own visits on somebody (decisions D36, D37).

Every attack compares whole tables before and after, and the answers with each other.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.scenarios.test_guide import contact, get, post
from tests.scenarios.website import Website, eventually

UNTOUCHED = {
    "contact": "select to_jsonb(c) - 'version' from contact c order by contact_id",
    "identifier": "select to_jsonb(i) from identifier i where contact_id > 0 order by 1",
    "segment_member": "select to_jsonb(m) from segment_member m order by 1",
    "address_refusal": "select to_jsonb(r) from address_refusal r order by 1",
    "suppression": "select to_jsonb(s) from suppression s order by 1",
    "orders": "select to_jsonb(o) from orders o order by 1",
    "event": "select to_jsonb(e) from event e where kind = 0 order by 1",
    "history": "select to_jsonb(h) from identity_history h where action <> 'claimed' order by 1",
}
"""Tables that no public caller writes, and how they are read; `identifier` without the own cookie."""


class Alices:
    """Alice and Bob, who are customers; their ids."""

    def __init__(self, api: httpx.Client, name: str) -> None:
        self.x = f"ALICE-{name}"
        self.email = f"alice-{name}@example.com"
        self.phone = f"3805011{abs(hash(name)) % 100_000:05}"
        self.push = f"https://push.example/{name}"
        self.alice = post(
            api,
            externalCustomerId=self.x,
            email=self.email,
            sms=self.phone,
            webpush=self.push,
            firstName="Alice",
        )
        self.bobs_email = f"bob-{name}@example.com"
        self.bobs_x = f"BOB-{name}"
        self.bob = post(api, externalCustomerId=self.bobs_x, email=self.bobs_email)


@pytest.fixture(scope="module")
def website(server: Any, api: httpx.Client) -> Iterator[Website]:
    site = api.post("/site/domains", json={"domain": "shop.example"}).json()["siteId"]
    org_id = api.get("/account/info").json()["orgId"]
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield Website(client, site, org_id)


@pytest.fixture
def people(api: httpx.Client, request: pytest.FixtureRequest) -> Alices:
    return Alices(api, hashlib.sha256(request.node.name.encode()).hexdigest()[:10])


def tables(database: Any, cookie: str) -> dict[str, list[Any]]:
    """Everything that must stay as it is; without the row of the caller's own cookie."""
    read = {name: [row[0] for row in database.execute(query)] for name, query in UNTOUCHED.items()}
    read["identifier"] = [one for one in read["identifier"] if one["value_key"] != cookie]
    return read


def visits_of(database: Any, contact_id: int) -> list[str]:
    return [
        row[0]
        for row in database.execute(
            "select type_key from event where kind = 1 and owner_id in "
            "(select owner_id from owners_of(1, array[%s::bigint])) order by occurred, event_id",
            (contact_id,),
        )
    ]


def visits(database: Any, cookie: str) -> list[str]:
    """What a cookie did, whosever it is."""
    return [
        row[0]
        for row in database.execute(
            "select e.type_key from event e where e.kind = 1 and (e.owner_id in "
            "(select owner_id from visitor_span where kind = 8 and value_key = %(c)s) "
            "or e.owner_id in (select abs(contact_id) from identifier where kind = 8 "
            "and value_key = %(c)s)) order by e.occurred, e.event_id",
            {"c": cookie},
        )
    ]


def holder(database: Any, cookie: str) -> int | None:
    """The contact that has the cookie."""
    row = database.execute(
        "select contact_id from identifier where kind = 8 and value_key = %s and contact_id > 0",
        (cookie,),
    ).fetchone()
    return None if row is None else row[0]


def nothing_came_of_it(
    website: Website, database: Any, cookie: str, before: dict[str, list[Any]]
) -> None:
    """What the cookie did up to now is written down, and changed nothing and linked it to nobody."""
    website.says("After", cookie)
    eventually(lambda: visits(database, cookie)[-1:], ["After"])
    assert (holder(database, cookie), tables(database, cookie)) == (None, before)


LIES: dict[str, Any] = {
    "her External ID": lambda w, c, a: w.customer_data(c, externalCustomerId=a.x),
    "her External ID and a name": lambda w, c, a: w.says(
        "CustomerData",
        c,
        {"externalCustomerId": a.x, "user_name": "Mallory", "user_city": "Nowhere"},
        firstName="Mallory",
    ),
    "her e-mail": lambda w, c, a: w.customer_data(c, user_email=a.email),
    "her e-mail and phone": lambda w, c, a: w.web_contact(c, email=a.email, phone=a.phone),
    "a webcontact": lambda w, c, a: w.web_contact(c, externalCustomerId=a.x),
    "her contact id": lambda w, c, a: w.says("PageView", c, user_es_contact_id=a.alice),
    "a link of hers": lambda w, c, a: w.send(
        {
            **w.message("PageView", c),
            "Page": {"url": f"https://shop.example/?etm_term={a.alice}&utm_source=x"},
        }
    ),
}
"""Claims that name Alice: they link the liar's own cookie, and nothing else."""

REFUSED: dict[str, Any] = {
    "her External ID, his e-mail": lambda w, c, a: w.web_contact(
        c, externalCustomerId=a.x, email=a.bobs_email
    ),
    "her e-mail, his contact id": lambda w, c, a: w.customer_data(
        c, user_email=a.email, user_es_contact_id=a.bob
    ),
    "her phone, his e-mail": lambda w, c, a: w.web_contact(c, email=a.bobs_email, phone=a.phone),
}
"""Claims that contradict themselves: they do nothing at all."""

NOBODY: dict[str, Any] = {
    "an unknown External ID": lambda w, c, a: w.web_contact(c, externalCustomerId=f"{a.x}-NEW"),
    "an unknown e-mail": lambda w, c, a: w.customer_data(c, user_email=f"new-{a.email}"),
    "an unknown External ID with her e-mail": lambda w, c, a: w.customer_data(
        c, externalCustomerId=f"{a.x}-NEW", user_email=a.email, user_name="Alice"
    ),
    "a word for nobody": lambda w, c, a: w.customer_data(c, externalCustomerId="undefined"),
    "an invalid e-mail": lambda w, c, a: w.customer_data(c, user_email="alice"),
    "her push token": lambda w, c, a: w.web_push(c, a.push),
    "a new push token": lambda w, c, a: w.web_push(c, f"{a.push}-new"),
    "a contact id that nobody has": lambda w, c, a: w.says(
        "PageView", c, user_es_contact_id=10**15
    ),
}
"""What names nobody: no contact comes of it."""


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_claim_links_its_own_cookie_and_changes_no_card(
    api: httpx.Client, website: Website, database: Any, people: Alices, lie: Any
) -> None:
    cookie = website.new_cookie()
    website.says("ProductPage", cookie, {"productKey": "P"})
    before, card = tables(database, cookie), get(api, people.alice)
    lie(website, cookie, people)
    eventually(lambda: holder(database, cookie), people.alice)
    assert tables(database, cookie) == before
    assert get(api, people.alice) == card
    identity = api.get(f"/contact/{people.alice}/identity").json()
    row = next(one for one in identity["identifiers"] if one["value"] == cookie)
    assert (row["kind"], row["rule"]) == ("web_cookie", "claim")
    assert identity["history"][0]["action"] == "claimed"
    why = api.get(f"/contact/{people.alice}/why?kind=web_cookie&value={cookie}").json()  # D26
    assert (why["complete"], why["chain"][-1]["rules"]) == (True, ["claim"])
    timeline = api.get(f"/contact/{people.alice}/timeline").json()
    assert "ProductPage" in [one["key"] for one in timeline]
    assert {(one["type"], one.get("linkedBy")) for one in timeline} == {("visit", "claim")}


@pytest.mark.parametrize("lie", REFUSED.values(), ids=REFUSED)
def test_a_claim_that_contradicts_itself_does_nothing(
    website: Website, database: Any, people: Alices, lie: Any
) -> None:
    cookie = website.new_cookie()
    before = tables(database, cookie)
    lie(website, cookie, people)
    nothing_came_of_it(website, database, cookie, before)
    waiting = "select count(*) from claim where value_key = %s"
    assert database.execute(waiting, (cookie,)).fetchone() == (0,)


@pytest.mark.parametrize("lie", NOBODY.values(), ids=NOBODY)
def test_a_claim_that_names_nobody_makes_nobody(
    website: Website, database: Any, people: Alices, lie: Any
) -> None:
    cookie = website.new_cookie()
    before = tables(database, cookie)
    lie(website, cookie, people)
    nothing_came_of_it(website, database, cookie, before)


def test_two_contacts_with_one_mailbox_are_nobody_in_particular(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """Without an External ID a claim needs one live contact; with one, that decides."""
    other = post(api, externalCustomerId=f"{people.x}-2", email=people.email, firstName="Anna")
    cookie = website.new_cookie()
    before = tables(database, cookie)
    website.customer_data(cookie, user_email=people.email)
    nothing_came_of_it(website, database, cookie, before)
    website.customer_data(cookie, user_email=people.email, externalCustomerId=f"{people.x}-2")
    eventually(lambda: holder(database, cookie), other)


def test_nothing_public_restores_or_revives(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """A removed contact counts as nobody, an erased one leaves nothing (D8, D29, D36)."""
    api.delete(f"/contact/{people.alice}")
    api.delete(f"/contact/{people.bob}", params={"erase": "true"})
    cookie = website.new_cookie()
    before = tables(database, cookie)
    website.web_contact(cookie, externalCustomerId=people.x, email=people.email)
    website.web_contact(website.new_cookie(), externalCustomerId=people.bobs_x)
    website.says("After", cookie)
    eventually(lambda: visits(database, cookie)[-1:], ["After"])
    assert tables(database, cookie) == before
    # The claim waits: a keyed call that restores her takes it up.
    assert post(api, externalCustomerId=people.x) == people.alice
    assert holder(database, cookie) == people.alice
    assert visits_of(database, people.alice) == ["After"]


def test_who_knows_her_cookie_takes_only_what_follows(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D37: attributed history never moves; the cookie itself may change hands."""
    cookie = website.new_cookie()
    post(api, externalCustomerId=people.x, webId=cookie)
    website.says("Hers", cookie)
    eventually(lambda: visits_of(database, people.alice), ["Hers"])
    before = tables(database, cookie)
    website.customer_data(cookie, externalCustomerId=people.bobs_x)
    website.says("His", cookie)
    eventually(lambda: visits_of(database, people.bob)[-1:], ["His"])
    assert visits_of(database, people.alice) == ["Hers"]
    assert tables(database, cookie) == before


def test_her_push_token_stays_with_her(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """A forged registration moves no token, neither at once nor with a later claim."""
    cookie = website.new_cookie()
    website.web_push(cookie, people.push)
    website.customer_data(cookie, externalCustomerId=people.bobs_x)
    eventually(lambda: holder(database, cookie), people.bob)
    channels = get(api, people.alice)["channels"]
    assert people.push in [one["value"] for one in channels if one["type"] == "webpush"]
    assert not [one for one in get(api, people.bob)["channels"] if one["type"] == "webpush"]


def test_an_own_push_token_comes_along_with_the_visitor(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D10: with a claim, with a keyed call, and to the next person on the same browser."""
    cookie, token = website.new_cookie(), f"{people.push}-of-the-browser"

    def tokens(contact_id: int) -> list[str]:
        channels = get(api, contact_id).get("channels", [])
        return [one["value"] for one in channels if one["type"] == "webpush"]

    website.web_push(cookie, token)
    post(api, externalCustomerId=people.bobs_x, webId=cookie)
    eventually(lambda: tokens(people.bob), [token])
    (channel,) = [one for one in get(api, people.bob)["channels"] if one["type"] == "webpush"]
    assert channel == {"type": "webpush", "value": token}, "whose cookie it is stays inside"
    website.customer_data(cookie, externalCustomerId=people.x)
    eventually(lambda: tokens(people.alice), [people.push, token])
    assert tokens(people.bob) == []


def test_answers_tell_nothing(website: Website, people: Alices) -> None:
    """D36: every claim is answered alike, whoever exists."""
    for lie in (*LIES.values(), *REFUSED.values(), *NOBODY.values()):
        lie(website, website.new_cookie(), people)
    ignored = {"date", "x-request-id"}
    told = {
        (
            answer.content,
            tuple((name, value) for name, value in answer.headers.items() if name not in ignored),
        )
        for answer in website.answers
    }
    assert len(told) == 1


def test_a_claim_is_answered_without_waiting_for_the_person(
    website: Website, database: Any, people: Alices
) -> None:
    """D36: whatever the claim meets, here a lock on her card, its answer does not wait for it."""
    cookie = website.new_cookie()
    with database.transaction():
        database.execute("select from contact where contact_id = %s for update", (people.alice,))
        website.customer_data(
            cookie, externalCustomerId=people.x
        )  # answered while the lock is held
        assert holder(database, cookie) is None
    eventually(lambda: holder(database, cookie), people.alice)


def test_what_a_claim_linked_is_marked_in_the_timeline(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D36: also a visitor's first words, what comes after a logout, and another person's login."""
    cookie = website.new_cookie()
    website.customer_data(cookie, externalCustomerId=people.x)
    website.logs_out(cookie)
    website.customer_data(cookie, externalCustomerId=people.x)
    website.says("Hers", cookie)
    website.customer_data(cookie, externalCustomerId=people.bobs_x)
    eventually(lambda: visits_of(database, people.bob), ["CustomerData"])
    for contact_id, number in ((people.alice, 3), (people.bob, 1)):
        timeline = api.get(f"/contact/{contact_id}/timeline").json()
        assert [one.get("linkedBy") for one in timeline] == ["claim"] * number
    # What its own server says is not marked.
    post(api, externalCustomerId=people.bobs_x, webId=(own := website.new_cookie()))
    website.says("Known", own)
    eventually(lambda: visits_of(database, people.bob), ["CustomerData", "Known"])
    (newest, _) = api.get(f"/contact/{people.bob}/timeline").json()
    assert (newest["key"], newest.get("linkedBy")) == ("Known", None)


# Claims that wait.


def test_a_claim_waits_for_its_contact_with_all_its_visits(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D36, guide G5.6: created later, by any keyed call."""
    cookie = website.new_cookie()
    website.says("Before", cookie)
    website.customer_data(cookie, externalCustomerId=f"{people.x}-LATE")
    website.says("Meanwhile", cookie)
    eventually(lambda: visits(database, cookie), ["Before", "CustomerData", "Meanwhile"])
    answer = api.post(
        "/contact/subscribe",
        json={"contact": contact(externalCustomerId=f"{people.x}-LATE", email=f"l-{people.email}")},
    ).json()
    assert visits_of(database, answer["id"]) == ["Before", "CustomerData", "Meanwhile"]
    history = api.get(f"/contact/{answer['id']}/identity").json()["history"]
    assert [one["rule"] for one in history if one["action"] == "claimed"] == ["claim_waited"]
    website.says("After", cookie)
    eventually(lambda: visits_of(database, answer["id"])[-1], "After")


def test_a_claim_without_an_external_id_waits_for_email_and_phone(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    cookie, email = website.new_cookie(), f"w-{people.email}"
    website.web_contact(cookie, email=email, phone="+380671234567")
    website.says("Mine", cookie)
    eventually(lambda: visits(database, cookie), ["Mine"])
    only_email = post(api, email=email)
    assert holder(database, cookie) is None, "the phone of the claim is not hers"
    website.web_contact(cookie, email=email)
    eventually(lambda: holder(database, cookie), only_email)


def test_a_phone_alone_waits_for_who_has_no_email(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D10a: of a family that shares a phone, a page that says only the phone names nobody."""
    phone = "+380671234599"
    for number, email in (("1", None), ("2", f"f-{people.email}")):
        cookie = website.new_cookie()
        website.web_contact(cookie, phone=phone[:-1] + number)
        website.says("Mine", cookie)
        eventually(lambda cookie=cookie: visits(database, cookie), ["Mine"])
        came = {"sms": phone[:-1] + number} | ({"email": email} if email else {})
        person = post(api, **came)
        assert holder(database, cookie) == (None if email else person)
        assert visits_of(database, person) == ([] if email else ["Mine"])


def test_a_claim_of_an_offline_page_fills_its_own_time(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D37: it was overtaken by another's; what of its time comes with it is its person's."""
    cookie, now = website.new_cookie(), int(time.time() * 1000)
    ours = {"externalCustomerId": people.x}
    website.customer_data(cookie, externalCustomerId=people.bobs_x)
    website.says("Bobs", cookie)
    eventually(lambda: visits_of(database, people.bob), ["CustomerData", "Bobs"])
    for place, name in enumerate(("Hers", "HersToo")):
        website.says(name, cookie, datetime=now - 600_000 + place, **ours)
    eventually(lambda: visits_of(database, people.alice), ["Hers", "HersToo"])
    website.says("Bobs", cookie)
    eventually(lambda: visits_of(database, people.bob), ["CustomerData", "Bobs", "Bobs"])
    assert holder(database, cookie) == people.bob


def test_a_link_waits_for_a_removed_contact(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """A contact id in an address: a removed contact counts as nobody, who may come back."""
    api.delete(f"/contact/{people.alice}")
    cookie = website.new_cookie()
    website.says("PageView", cookie, user_es_contact_id=people.alice)
    website.says("Mine", cookie, user_es_contact_id=people.alice)
    eventually(lambda: visits(database, cookie), ["PageView", "Mine"])
    assert holder(database, cookie) is None
    post(api, externalCustomerId=people.x)
    assert holder(database, cookie) == people.alice
    assert visits_of(database, people.alice) == ["PageView", "Mine"]


def test_put_gives_the_external_id_that_a_claim_waits_for(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    cookie = website.new_cookie()
    website.web_contact(cookie, externalCustomerId=f"{people.x}-PUT")
    website.says("Mine", cookie)
    eventually(lambda: visits(database, cookie), ["Mine"])
    number = post(api, email=f"p-{people.email}")
    api.put(f"/contact/{number}", json={"externalCustomerId": f"{people.x}-PUT"})
    assert visits_of(database, number) == ["Mine"]


def test_a_waiting_claim_heeds_contradictions_when_its_contact_comes(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D36: not where an e-mail in it stands on another live contact."""
    cookie = website.new_cookie()
    website.web_contact(cookie, externalCustomerId=f"{people.x}-NEW", email=people.email)
    website.says("Mine", cookie)
    eventually(lambda: visits(database, cookie), ["Mine"])
    number = post(api, externalCustomerId=f"{people.x}-NEW", email=f"n-{people.email}")
    assert (holder(database, cookie), visits_of(database, number)) == (None, [])


def test_a_later_claim_cancels_one_that_waits(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D36, D37: what waited for somebody else is nobody's, also when they come after all."""
    cookie = website.new_cookie()
    website.web_contact(cookie, externalCustomerId=f"{people.x}-GHOST")
    website.says("Ghosts", cookie)
    eventually(lambda: visits(database, cookie), ["Ghosts"])
    website.customer_data(cookie, externalCustomerId=people.bobs_x)
    eventually(lambda: visits_of(database, people.bob), ["CustomerData"])
    ghost = post(api, externalCustomerId=f"{people.x}-GHOST")
    assert visits_of(database, ghost) == []
    assert visits_of(database, people.bob) == ["CustomerData"]


def test_a_keyed_link_takes_nothing_that_waits_for_another(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """The first claim has what came before it; who gets the cookie next has what follows."""
    cookie = website.new_cookie()
    website.web_contact(cookie, externalCustomerId=f"{people.x}-FIRST")
    website.says("Firsts", cookie)
    eventually(lambda: visits(database, cookie), ["Firsts"])
    post(api, externalCustomerId=people.bobs_x, webId=cookie)
    website.says("Bobs", cookie)
    eventually(lambda: visits_of(database, people.bob), ["Bobs"])
    first = post(api, externalCustomerId=f"{people.x}-FIRST")
    assert visits_of(database, first) == ["Firsts"]
    assert holder(database, cookie) == people.bob


def test_the_same_person_may_say_more_later(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """First the e-mail at the checkout, then the External ID: one claim, not a second person."""
    cookie = website.new_cookie()
    website.says("Before", cookie)
    website.customer_data(cookie, user_email=f"m-{people.email}")
    website.customer_data(
        cookie, user_email=f"m-{people.email}", externalCustomerId=f"{people.x}-MORE"
    )
    eventually(lambda: len(visits(database, cookie)), 3)
    number = post(api, externalCustomerId=f"{people.x}-MORE", email=f"m-{people.email}")
    assert visits_of(database, number) == ["Before", "CustomerData", "CustomerData"]


def test_a_logout_ends_what_waits(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    cookie = website.new_cookie()
    website.web_contact(cookie, externalCustomerId=f"{people.x}-OUT")
    website.says("Hers", cookie)
    eventually(lambda: visits(database, cookie), ["Hers"])
    website.logs_out(cookie)
    website.says("Nobodys", cookie)
    eventually(lambda: visits(database, cookie), ["Hers", "Nobodys"])
    number = post(api, externalCustomerId=f"{people.x}-OUT")
    assert visits_of(database, number) == ["Hers"]
    assert holder(database, cookie) is None
    website.customer_data(cookie, externalCustomerId=people.bobs_x)
    eventually(lambda: visits_of(database, people.bob), ["CustomerData"])
    assert visits_of(database, number) == ["Hers"]


def test_an_erase_cancels_a_claim(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """D36, D29: also one that waits for a removed contact."""
    api.delete(f"/contact/{people.alice}")
    cookie = website.new_cookie()
    website.web_contact(cookie, externalCustomerId=people.x)
    website.says("Hers", cookie)
    eventually(lambda: visits(database, cookie), ["Hers"])
    api.delete(f"/contact/{people.alice}", params={"erase": "true"})
    assert database.execute(
        "select count(*) from claim where value_key = %s", (cookie,)
    ).fetchone() == (0,)
    again = post(api, externalCustomerId=people.x)
    assert (again != people.alice, visits_of(database, again)) == (True, [])
    # What waited for her is not the next one's either.
    website.web_contact(cookie, externalCustomerId=f"{people.x}-NEXT")
    website.says("Nexts", cookie)
    eventually(lambda: visits(database, cookie)[-1:], ["Nexts"])
    following = post(api, externalCustomerId=f"{people.x}-NEXT")
    assert visits_of(database, following) == ["Nexts"]


def test_claims_can_need_a_signature(
    api: httpx.Client, website: Website, database: Any, people: Alices
) -> None:
    """Setting `signed_claims`: HMAC-SHA-256 of the External ID under the account's signing key."""
    key = api.get("/site/signing-key").json()["signingKey"]
    proof = hmac.new(key.encode(), people.x.encode(), hashlib.sha256).hexdigest()
    forged = hmac.new(b"guess", people.x.encode(), hashlib.sha256).hexdigest()
    api.patch("/account/settings", json={"signed_claims": True})
    try:
        cookie = website.new_cookie()
        settled = website.new_cookie()
        eventually(lambda: _is_ignored(website, database, settled, people), True)
        for who in (
            {"externalCustomerId": people.x},
            {"externalCustomerId": people.x, "signature": forged},
            {"externalCustomerId": people.bobs_x, "signature": proof},
            {"email": people.email, "signature": proof},
        ):
            website.web_contact(cookie, **who)
        website.says("After", cookie)
        eventually(lambda: visits(database, cookie), ["After"])
        assert holder(database, cookie) is None
        website.web_contact(cookie, externalCustomerId=people.x, signature=proof)
        eventually(lambda: holder(database, cookie), people.alice)
    finally:
        api.patch("/account/settings", json={"signed_claims": None})


def _is_ignored(website: Website, database: Any, cookie: str, people: Alices) -> bool:
    """Whether the setting has reached the process that answers."""
    before = database.execute("select count(*) from claim").fetchone()
    website.web_contact(f"{cookie}-{len(website.answers)}", externalCustomerId=f"{people.x}-PROBE")
    after: Any = database.execute("select count(*) from claim").fetchone()
    return bool(after == before)
