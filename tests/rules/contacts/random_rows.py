"""Random rows of bulk calls and files, and what may have been before, from small pools that collide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from kartoteka.contacts.model import ImportRow, RowRules
from kartoteka.contacts.uniques import UNIQUES
from tests.rules import stories
from tests.rules.identity.test_laws import COMMAND, MAYBE

VALUES = {
    **MAYBE,
    "web": ["W"],
    "telegram": ["G"],
    "device": ["D"],
    "contact_key": ["k1", "k2"],
    "fields": [{"7": "v"}, {"7": "w"}, {"8": "v"}],
    "clear": ["", "", "sms", "email,firstName", "fields.8", "mobilepush"],
    "contact_id": [1, 2, 3, 4],
}
ROW = st.fixed_dictionaries({}, optional={name: st.sampled_from(of) for name, of in VALUES.items()})
RULES = st.builds(
    lambda unique, changes_id, restores, groups, exclude: stories.rules(
        unique,
        7 if unique == "fieldId" else None,
        changes_id=changes_id and unique != "externalCustomerId",
        restores=restores,
        groups=groups,
        exclude=exclude,
        event="welcome",
    ),
    st.sampled_from([*sorted(UNIQUES), "fieldId", "contactKey", "email", "email_or_sms"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(), ("one",)]),
    st.sampled_from([(), ("two",)]),
)
UNIQUE_FIELDS = {"email": "email", "sms": "sms", "fieldId": "fields.7", "push": "mobilepush"}


def made(by: RowRules, said: Sequence[dict[str, Any]]) -> list[ImportRow]:
    """Rows as the readers make them: numbered without a gap, never clearing what finds the contact or
    what they give, and only those that have their unique value or an External ID (D16, D18)."""
    rows: list[ImportRow] = []
    for one in said:
        given = {name: value for name, value in one.items() if name != "clear"}
        cleared = set(one.get("clear", "").split(",")) - {"", UNIQUE_FIELDS.get(by.unique.name)}
        if by.unique.name == "email_or_sms":
            cleared -= {"email", "sms"}
        row = stories.row(by, number=len(rows) + 1, **given)
        row.clear = frozenset(cleared - _given(row))
        if row.value is not None or row.contact.person.external_id is not None:
            rows.append(row)
    return rows


def _given(row: ImportRow) -> set[str]:
    person, profile = row.contact.person, row.contact.profile
    has = {
        "email": person.email,
        "sms": person.phone,
        "firstName": profile.first_name,
        "mobilepush": [one for one in person.changeable if one.kind == stories.KIND["token"].code],
    }
    return {name for name, value in has.items() if value} | {f"fields.{n}" for n in profile.fields}


def _of_a_person(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in ("clear", "contact_id")}


def files(most_rows: int) -> st.SearchStrategy[list[ImportRow]]:
    return st.builds(made, RULES, st.lists(ROW, max_size=most_rows))


FILE = files(8)
ADDED = ROW.map(lambda said: stories.add(**_of_a_person(said)))
PAST = st.lists(st.one_of(COMMAND, ADDED, ADDED), max_size=8)
