"""A shop that does everything at once to a handful of people, and what it may expect of the answers.

Values come from small pools, so that they collide. The model is simple on purpose: each rule knows
what must hold of its own answer; that all answers together make sense is for the invariants.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.faults.invariants import check, violations

TABLES = (
    "contact",
    "identifier",
    "identity_history",
    "apart",
    "address_refusal",
    "suppression",
    "segment",
    "segment_member",
    "event",
    "visitor_span",
    "orders",
    "order_item",
    "order_totals",
    "erasing",
    "replay",
    "recent_request",
    "subscription_category",
    "access_token",
    "import",
    "import_batch",
    "import_row",
    "import_payload",
)
LIVE, REMOVED, MERGED, ERASED = range(4)
REFUSED = ("failed", "skipped", "suppressed")


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((None, None, None, *values))


external_ids = st.sampled_from(("A", "B", "C", "007"))
emails = one_of("a@x.example", "b@x.example", "c@x.example")
phones = one_of("380671234501", "380671234502")
CHANNELS = st.fixed_dictionaries(
    {
        "email": emails,
        "sms": phones,
        "mobilepush": one_of("T1", "T2", "T3"),
        "webpush": one_of("W1", "W2"),
    }
)
NAMES = st.fixed_dictionaries({"firstName": one_of("Ann", "Bob"), "lastName": one_of("Lee")})
MORE = st.fixed_dictionaries({"deviceId": one_of("D1", "D2"), "webId": one_of("S1", "S2")})
CLEARABLE = ("externalCustomerId", "formerExternalIds", "email", "sms", "mobilepush", "firstName")


def body_of(external_id: str | None, channels: Any, names: Any, more: Any) -> dict[str, Any]:
    """A contact as a request names it; None is left out."""
    said = {"externalCustomerId": external_id, **names, **more}
    listed = [{"type": kind, "value": value} for kind, value in channels.items() if value]
    return {name: value for name, value in said.items() if value} | {"channels": listed}


UNIQUES = ("email", "sms", "email_or_sms", "externalCustomerId", "push", "deviceId", "id")
CALLS = st.fixed_dictionaries(
    {
        "dedupeOn": st.sampled_from(UNIQUES),
        "contactFields": st.sampled_from(
            (
                None,
                ("firstName",),
                ("email", "sms", "firstName"),
                ("externalCustomerId", "lastName"),
            )
        ),
        "restoreDeleted": st.booleans(),
        "groupNames": st.sampled_from(((), ("List",))),
        "groupNamesExclude": st.sampled_from(((), ("News",))),
    }
)
people = st.builds(body_of, st.none() | external_ids, CHANNELS, NAMES, MORE)


STATUSES = ("INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART")
ORDER_IDS = st.sampled_from(("O1", "O2", "O3"))
ORDERS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(("INITIALIZED", "DELIVERED", "DELIVERED", "CANCELLED")),
        "totalCost": st.sampled_from((0, 5, 7)),
        "currency": one_of("EUR"),
        "date": st.sampled_from(
            ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2090-01-01T00:00:00Z")
        ),
        "items": one_of(
            [{"externalItemId": "1", "quantity": 1}], [{"externalItemId": "2", "quantity": 2}]
        ),
    }
)


def order_of(number: str, body: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """An order that names whom the contact names; External ID, e-mail, phone, device and cookie."""
    channels = {one["type"]: one["value"] for one in body["channels"]}
    whom = {name: value for name, value in body.items() if name != "channels"}
    named = {"email": channels.get("email"), "phone": channels.get("sms")}
    return {"externalOrderId": number, **whom, **named, **said}


class ShopMachine(RuleBasedStateMachine):
    """`clients` and `database` are given by the test that runs it.

    Each client is of an account with other settings, since a change of settings takes a second to
    reach the workers.
    """

    clients: Sequence[httpx.Client]
    database: psycopg.Connection[Any]
    url: str
    cards = Bundle("cards")

    def __init__(self) -> None:
        super().__init__()
        for table in TABLES:
            self.rows(f"delete from {table} returning 1")

    @initialize(number=st.integers(0, 3))
    def choose_account(self, number: int) -> None:
        self.client = self.clients[number % len(self.clients)]

    # What the rules ask.

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        return self.database.execute(sql, params).fetchall()  # type: ignore[call-overload,no-any-return]

    def everything(self) -> list[list[tuple[Any, ...]]]:
        """All that is stored, to see that nothing changed."""
        return [self.rows(f"select t::text from {table} t order by 1") for table in TABLES]

    def stored(self) -> list[list[tuple[Any, ...]]]:
        """The same without the history, in which a refusal may be noted."""
        kept = [table for table in TABLES if table != "identity_history"]
        return [self.rows(f"select t::text from {table} t order by 1") for table in kept]

    def status(self, contact_id: int) -> int | None:
        found = self.rows("select status from contact where contact_id = %s", contact_id)
        return found[0][0] if found else None

    def survivor(self, contact_id: int) -> int:
        while self.status(contact_id) == MERGED:
            [(contact_id,)] = self.rows(
                "select merged_into from contact where contact_id = %s", contact_id
            )
        return contact_id

    def owner(self, external_id: str) -> int | None:
        sql = "select contact_id from identifier where kind = 1 and value_key = %s"
        found = self.rows(sql, external_id)
        return found[0][0] if found else None

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        answer = self.client.request(method, "/api/v1" + path, json=body, params=query)
        assert answer.status_code < 500, answer.text
        return answer

    def shown(self, contact_id: int) -> dict[str, Any]:
        answer = self.ask("GET", f"/contact/{contact_id}")
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def shows(self, contact_id: int, body: dict[str, Any], *, replaced: bool = True) -> None:
        """GET shows what was sent; without `replaced` an e-mail or phone may be the older one."""
        card = self.shown(contact_id)
        if external_id := body.get("externalCustomerId"):
            assert self.owner(external_id) == contact_id
        has = {(one["type"], one["value"]) for one in card["channels"]}
        for one in body.get("channels", []):
            if replaced or one["type"] not in ("email", "sms"):
                assert (one["type"], one["value"]) in has, (one, card)
            else:
                assert one["type"] in {kind for kind, _ in has}
        for name in ("firstName", "lastName"):
            assert name not in body or card[name] == body[name]

    # What the shop does.

    @rule(target=cards, body=people)
    def add(self, body: dict[str, Any]) -> Any:
        answer = self.ask("POST", "/contact", body)
        if answer.status_code == 400:
            assert answer.json()["code"] == "no_identifier"
            assert set(body) <= {"channels", "webId", "firstName", "lastName"}, body
            return multiple()
        contact_id: int = answer.json()["id"]
        assert self.status(contact_id) == LIVE
        self.shows(contact_id, body)
        return contact_id

    @rule(body=people)
    def add_twice(self, body: dict[str, Any]) -> None:
        """D22: the same request twice gives the same contact, and the second changes nothing.

        Except by D13: a name that the first has replaced no longer keeps a namesake of the request
        apart, so the second may absorb one; then the third changes nothing.
        """
        first = self.ask("POST", "/contact", body)
        if first.status_code == 200:
            before = self.everything()
            second = self.ask("POST", "/contact", body, explain="true").json()
            assert second["id"] == first.json()["id"]
            if second["resolution"].get("absorbed"):
                before = self.everything()
                self.ask("POST", "/contact", body)
            assert self.everything() == before

    @rule(body=people, what=st.sampled_from(("/contact", "/contact/subscribe")))
    def rehearse(self, body: dict[str, Any], what: str) -> None:
        """D27: a dry run changes nothing, and says what then happens."""
        before = self.everything()
        said = body if what == "/contact" else {"contact": body, "groups": ["List"]}
        dry = self.ask("POST", what, said, dryRun="true")
        assert self.everything() == before
        real = self.ask("POST", what, said, explain="true")
        assert real.status_code == dry.status_code
        if real.status_code == 200:
            expected, came = dry.json()["resolution"], real.json()["resolution"]
            if expected["contactId"] is None:
                assert came["outcome"] == "created"
                expected["contactId"] = came["contactId"]
            assert came == expected

    @rule(target=cards, call=CALLS, bodies=st.lists(people, min_size=1, max_size=4), card=cards)
    def bulk(self, call: dict[str, Any], bodies: list[dict[str, Any]], card: int) -> Any:
        """G13: each row has one outcome, and the contacts of those that were written are live."""
        contacts = [body | {"id": card} for body in bodies]
        lines = self.carried_out(call | {"contacts": contacts})
        assert [line["row"] for line in lines] == list(range(1, len(bodies) + 1))
        written = [line for line in lines if line["outcome"] not in REFUSED]
        for line in lines:
            assert (line["outcome"] in REFUSED) == ("code" in line), line
            assert line["outcome"] != "failed" or line.get("contactId") is None
        came_to = [self.survivor(line["contactId"]) for line in written]
        assert {self.status(one) for one in came_to} <= {LIVE}
        return multiple(*came_to)

    def carried_out(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The statement of a bulk call, when it is over."""
        answer = self.ask("POST", "/contacts", body)
        assert answer.status_code == 200, answer.text
        path = f"/importstatus/{answer.json()['asyncSessionId']}"
        deadline = time.monotonic() + 120
        while self.ask("GET", path).json()["status"] != "FINISHED":
            assert time.monotonic() < deadline
            time.sleep(0.005)
        [newest] = self.ask("GET", "/imports", maxrows=1).json()
        lines: list[dict[str, Any]] = self.ask("GET", f"/imports/{newest['id']}/rows").json()
        return lines

    @rule(card=cards, body=people)
    def put(self, card: int, body: dict[str, Any]) -> None:
        """G9: taken External ID: 400 and nothing changed; else the card shows what was sent."""
        before, survivor = self.stored(), self.survivor(card)
        gone = self.status(survivor) == ERASED
        owner = self.owner(body["externalCustomerId"]) if "externalCustomerId" in body else None
        answer = self.ask("PUT", f"/contact/{card}", body)
        if gone:
            assert answer.status_code == 404
            assert self.stored() == before
        elif owner is not None and owner != survivor:
            assert (answer.status_code, answer.json()["code"]) == (400, "external_id_taken")
            assert f"id='{owner}'" in answer.json()["message"]
            assert self.stored() == before
        else:
            assert answer.text == f"Contact with id='{card}' has been updated"
            self.shows(survivor, body)

    @rule(card=cards, names=st.sets(st.sampled_from(CLEARABLE), min_size=1))
    def clear(self, card: int, names: set[str]) -> None:
        answer = self.ask("PUT", f"/contact/{card}", {}, clear=",".join(sorted(names)))
        survivor = self.survivor(card)
        assert answer.status_code == (404 if self.status(survivor) == ERASED else 200)
        if answer.status_code == 200:
            left = self.shown(survivor)
            assert not names & set(left)
            assert not names & {one["type"] for one in left["channels"]}

    @rule(target=cards, body=people, lists=st.sets(st.sampled_from(("List", "News"))))
    def subscribe(self, body: dict[str, Any], lists: set[str]) -> Any:
        """G11: found or created; an e-mail that the contact has is not replaced."""
        sql = "select contact_id, email from contact where email is not null and status < 2"
        before = dict(self.rows(sql))
        answer = self.ask("POST", "/contact/subscribe", {"contact": body, "groups": sorted(lists)})
        if answer.status_code == 400:
            return multiple()
        contact_id: int = answer.json()["id"]
        self.shows(contact_id, body, replaced=False)
        card = self.shown(contact_id)
        assert lists <= {one["name"] for one in card.get("groups", [])}
        if contact_id in before:
            assert {"type": "email", "value": before[contact_id]} in card["channels"]
        return contact_id

    @rule(some=st.lists(cards, min_size=1), what=st.sampled_from(("attach", "detach")))
    def change_list(self, some: list[int], what: str) -> None:
        """Wire 3.14, D14: merged ids are followed; the others are nobody and fail nothing."""
        for (segment_id,) in self.rows("select segment_id from segment limit 1"):
            path = f"/group/{segment_id}/contacts"
            answer = self.ask("POST", f"{path}/{what}", {"contactIds": some})
            assert answer.text.startswith(f"Contacts were {what}ed")
            listed = self.ask("GET", path)
            members = {one["id"] for one in listed.json()}
            assert listed.headers["TotalCount"] == str(len(members))
            live = {one for one in map(self.survivor, some) if self.status(one) == LIVE}
            assert live <= members if what == "attach" else not live & members

    @rule()
    def empty_list(self) -> None:
        """Nobody is on it, whatever their status."""
        for (segment_id,) in self.rows("select segment_id from segment limit 1"):
            self.ask("POST", f"/group/{segment_id}/contacts/detach", {})
            sql = f"select contact_id from segment_member where segment_id = {segment_id}"
            assert self.rows(sql) == []

    @rule(token=st.sampled_from(("G1", "G2")), body=people, card=st.none() | cards)
    def app_token(self, token: str, body: dict[str, Any], card: int | None) -> None:
        by = {one["type"]: one["value"] for one in body["channels"]}
        said = {
            "token": token,
            "contactId": card,
            "externalCustomerId": body.get("externalCustomerId"),
            "email": by.get("email"),
            "phone": by.get("sms"),
        }
        self.ask("POST", "/apps/app-1/tokens", {"tokens": [said]})

    @rule(card=cards, erase=st.booleans())
    def remove(self, card: int, erase: bool) -> None:
        status = self.status(card)
        answer = self.ask("DELETE", f"/contact/{card}", **({"erase": "true"} if erase else {}))
        if status == MERGED:
            assert (answer.status_code, answer.json()["code"]) == (409, "contact_merged")
            assert answer.json()["details"]["contactId"] == self.survivor(card)
        else:
            assert answer.text == f"Contact with id='{card}' has been deleted"
            assert self.ask("GET", f"/contact/{card}").status_code == 404
            assert self.status(card) == (ERASED if erase or status == ERASED else REMOVED)

    @rule(external_id=external_ids, erase=st.booleans())
    def remove_by_external_id(self, external_id: str, erase: bool) -> None:
        owner = self.owner(external_id)
        query = {"externalCustomerId": external_id} | ({"erase": "true"} if erase else {})
        answer = self.ask("DELETE", "/contact", **query)
        assert owner is None or answer.status_code == 200
        found = self.ask("GET", "/contacts", externalCustomerId=external_id)
        assert (found.json(), found.headers["TotalCount"]) == ([], "0")

    @rule(keep=cards, absorb=cards, dry=st.booleans())
    def merge(self, keep: int, absorb: int, dry: bool) -> None:
        """D28: two live contacts, or nothing; a dry run changes nothing."""
        states = self.status(keep), self.status(absorb)
        before = self.everything()
        answer = self.ask("POST", "/merges", {"keep": keep, "absorb": absorb, "dryRun": dry})
        able = keep != absorb and states == (LIVE, LIVE)
        assert (answer.status_code == 200) is able, answer.text
        if not able or dry:
            assert self.everything() == before
        else:
            assert self.survivor(absorb) == keep

    @rule(card=cards)
    def undo(self, card: int) -> None:
        """D28: the last merge that a card took part in and that stands, or a reason."""
        listed = self.ask("GET", "/merges", contactId=card)
        merges = listed.json() if listed.status_code == 200 else []
        for one in [one for one in merges if "undoneAt" not in one][:1]:
            before = self.stored()
            answer = self.ask("POST", f"/merges/{one['id']}/undo")
            if answer.status_code == 200:
                assert self.status(answer.json()["absorbed"]["id"]) in (LIVE, REMOVED)
            else:
                known = ("later_merge", "merge_erased", "undo_breaks_external_id")
                assert (answer.status_code, answer.json()["code"] in known) == (409, True)
                assert self.stored() == before

    @rule(email=emails.filter(bool), refuse=st.booleans())
    def unsubscribe(self, email: str, refuse: bool) -> None:
        path = "add" if refuse else "delete"
        assert (
            self.ask("POST", f"/emails/unsubscribed/{path}", {"emails": [email]}).status_code == 200
        )

    @rule(number=ORDER_IDS, body=people, said=ORDERS)
    def order(self, number: str, body: dict[str, Any], said: dict[str, Any]) -> None:
        """Wire 5.1: taken, or refused with a reason and without a trace; the order is its contact's."""
        sent = order_of(number, body, said)
        before = self.stored()
        answer = self.ask("POST", "/orders", {"orders": [sent]}, explain="true").json()
        (came,) = answer["resolutions"]
        if came["order"] == "failed":
            assert answer["failedOrders"][0]["code"] in ("no_identifier", "suppressed")
            assert self.stored() == before
            return
        sql = "select owner_id, status, total_cost from orders where external_order_id = %s"
        [(owner, status, cost)] = self.rows(sql, number)
        assert self.survivor(owner) == came["contactId"]
        assert (STATUSES[status], cost) == (said["status"], said["totalCost"])
        if self.status(came["contactId"]) == LIVE:
            listed = self.ask("GET", f"/contact/{came['contactId']}/orders").json()
            assert number in [one["externalOrderId"] for one in listed]

    @rule(number=ORDER_IDS, body=people, said=ORDERS)
    def order_twice(self, number: str, body: dict[str, Any], said: dict[str, Any]) -> None:
        """D22: the same order twice is the same order, and nothing changes."""
        sent = {"orders": [order_of(number, body, said)]}
        if not self.ask("POST", "/orders", sent).content:
            before = self.everything()
            assert self.ask("POST", "/orders", sent).content == b""
            assert self.everything() == before

    @rule(number=ORDER_IDS)
    def delete_order(self, number: str) -> None:
        known = self.rows("select 1 from orders where external_order_id = %s", number)
        answer = self.ask("DELETE", "/orders", {"externalOrderIds": [number]})
        assert answer.json()["deleted"] == len(known)
        assert self.rows("select 1 from orders where external_order_id = %s", number) == []

    def teardown(self) -> None:
        """The history replayed says what stands."""
        check(self.url)

    @invariant()
    def all_is_well(self) -> None:
        broken = violations(self.database)
        assert not broken, msgspec.json.format(msgspec.json.encode(broken)).decode()
