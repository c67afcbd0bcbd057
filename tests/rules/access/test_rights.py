"""Which right includes which (decisions D21, wire 1.2)."""

from __future__ import annotations

import pytest

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.keys import require
from kartoteka.access.model import AccountContext, Caller, KeyKind, Rights
from kartoteka.errors import Forbidden

ACCOUNT = AccountContext(1, 2, "main", "", AccountSettings(), 3)
LADDER = [
    Rights.NONE,
    Rights.EVENT_TOKEN,
    Rights.EVENTS,
    Rights.CONTACTS_WRITE,
    Rights.CONTACTS,
    Rights.FULL,
]


@pytest.mark.parametrize("held", LADDER)
@pytest.mark.parametrize("needed", LADDER[1:])
def test_a_caller_may_what_its_right_includes_and_nothing_above(
    held: Rights, needed: Rights
) -> None:
    caller = Caller(ACCOUNT, 7, KeyKind.SERVER, held)
    if LADDER.index(held) >= LADDER.index(needed):
        require(caller, needed)
    else:
        with pytest.raises(Forbidden) as refused:
            require(caller, needed)
        assert needed.label in refused.value.message


def test_the_stored_words_are_those_of_the_schema() -> None:
    assert [right.stored for right in LADDER[2:]] == [
        "events",
        "contacts_write",
        "contacts",
        "full",
    ]
