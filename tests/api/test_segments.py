"""Segments over HTTP (guide G15; decisions D31, D32; wire 3.14, 8)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

EMPTY = {"field": "externalCustomerId", "operator": "is_empty"}


def make(api: httpx.Client, condition: Any, **more: Any) -> int:
    """A new segment; its id."""
    answer = api.post("/api/v1/segments", json={"name": "Some", "condition": condition, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def add(api: httpx.Client, **contact: Any) -> int:
    answer = api.post("/api/v1/contact", json=contact)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def email(value: str) -> list[dict[str, str]]:
    return [{"type": "email", "value": value}]


def members(api: httpx.Client, segment_id: int, **query: Any) -> list[int]:
    """Everybody in it, as the group's contacts say; `TotalCount` agrees."""
    answer = api.get(f"/api/v1/group/{segment_id}/contacts", params=query)
    assert answer.status_code == 200, answer.text
    ids = [row["id"] for row in answer.json()]
    if not query:
        assert answer.headers["TotalCount"] == str(len(ids))
    return ids


def shown(api: httpx.Client, segment_id: int) -> dict[str, Any]:
    answer = api.get(f"/api/v1/segments/{segment_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def eventually(holds: Callable[[], bool], within_s: float = 60) -> None:
    """Wait for what jobs do in the background."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refused(api: httpx.Client, condition: Any, **more: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/segments", json={"name": "No", "condition": condition, **more})
    assert answer.status_code == 400, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_segment_without_external_ids_is_never_stale(api, name):
    """G15, wire 14 check 23: who has none joins by itself, who gets one leaves at once."""
    before = add(api, channels=email(f"{name}-0@x.example"))
    other = add(api, externalCustomerId=f"{name}-1", channels=email(f"{name}-1@x.example"))
    segment = make(api, EMPTY, name="No External ID")
    assert before in members(api, segment)
    assert other not in members(api, segment)
    late = add(api, channels=email(f"{name}-2@x.example"))
    assert late in members(api, segment)
    add(api, externalCustomerId=f"{name}-0", channels=email(f"{name}-0@x.example"))
    assert before not in members(api, segment)
    api.put(f"/api/v1/contact/{other}?clear=externalCustomerId", json={})
    assert other in members(api, segment)
    api.delete(f"/api/v1/contact/{late}")
    assert late not in members(api, segment)
    add(api, channels=email(f"{name}-2@x.example"))
    assert late in members(api, segment)


def test_a_segment_is_a_group(api):
    segment = make(api, EMPTY, name="Group of its own")
    groups = api.get("/api/v1/groups", params={"name": "group of its"}).json()
    assert groups == [{"id": segment, "name": "Group of its own", "type": "Dynamic"}]
    answer = api.post(f"/api/v1/group/{segment}/contacts/attach", json={"contactIds": [1]})
    assert (answer.status_code, answer.json()["code"]) == (400, "segment_not_static")
