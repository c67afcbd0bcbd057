"""The right person, as `bench/identity` measures it: nobody gets what is another's."""

from __future__ import annotations

import pytest

from bench.identity import run
from bench.identity.count import Verdicts, count
from bench.identity.lives import HOT, live
from bench.identity.told import Believed
from kartoteka.access.accounts import Accounts
from kartoteka.clock import Clock
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.identity.store import digest_with
from kartoteka.writing import build_engine

DEFAULT = run.RULE_SETS[0]
MOVES = """
update event set owner_id = other.owner_id
from (select owner_id from event where kind = 1 and owner_id <> 0 order by owner_id limit 1) other
where event.kind = 1 and event.owner_id <> other.owner_id
"""


async def test_nobody_gets_what_is_another_persons(database_url: str) -> None:
    verdicts = await run.judge(database_url, live(7, 0.1, 100), DEFAULT)
    assert verdicts.quarantined == [HOT]
    assert verdicts.wrong == []
    assert (verdicts.all.wrong_merges, verdicts.all.wrong_visits, verdicts.all.lost_visits) == (
        0,
        0,
        0,
    )
    assert verdicts.all.people > 100
    assert verdicts.all.visits > 100


async def test_a_wrong_merge_would_be_seen(database_url: str) -> None:
    """The setting says that a phone is one person's; in these lives it is not."""
    lives = [life for life in live(7, 0.2, 1) if life.kind in ("same-phone", "household")]
    verdicts = await run.judge(database_url, lives, {**DEFAULT, "phone_is_personal": True})
    assert verdicts.all.wrong_merges > 0
    assert verdicts.wrong


async def test_a_wrong_visit_would_be_seen(database_url: str) -> None:
    lives = [life for life in live(7, 0.2, 1) if life.kind in ("alone", "kiosk")]
    database = await Database.open(database_url, options=WRITER_OPTIONS)
    try:
        clock = Clock()
        account = await Accounts(database, clock).create("shop")
        engine = build_engine(database, clock, digest_with("a secret of the tests"))
        came_to = await run.tell(engine, account, lives)

        async def judged() -> Verdicts:
            return await count(database, account.account_id, lives, came_to)

        assert (await judged()).all.wrong_visits == 0
        await database.execute(MOVES)
        assert (await judged()).all.wrong_visits > 0
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("moment", "who"), [(0, "a"), (1, "a"), (2, "a"), (3, ""), (4, ""), (5, "b"), (6, "b")]
)
def test_whose_a_tablet_is_as_far_as_anybody_could_know(moment: int, who: str) -> None:
    believed = Believed([(1, "a"), (3, ""), (5, "b")])  # type: ignore[list-item]
    assert believed.at(moment) == who  # type: ignore[arg-type]
