"""A muted token is silent until its time is over (wire 3.12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx


def test_a_token_is_muted_for_so_many_seconds_and_unmuted(api: httpx.Client, database: Any) -> None:
    tokens = [{"token": "tg-mute", "externalCustomerId": "MUTE-1"}]
    assert api.post("/apps/app-1/tokens", json={"tokens": tokens}).status_code == 200
    muted = {"token": "tg-mute", "duration": 3600}
    before = datetime.now(UTC)
    assert api.post("/apps/app-1/token/mute", json=muted).text == "Token has been muted"
    after = datetime.now(UTC)
    until = datetime.fromisoformat(muted_until(database))
    second = timedelta(seconds=1)
    assert before - second < until - timedelta(hours=1) < after + second
    assert api.post("/apps/other-app/token/mute", json=muted).status_code == 404
    assert api.post("/apps/app-1/token/unmute", json=muted).text == "Token has been unmuted"
    assert muted_until(database) is None


def muted_until(database: Any) -> Any:
    query = "select attributes->>'mutedUntil' from identifier where value_key = 'tg-mute'"
    return database.execute(query).fetchone()[0]
