"""An erased person is in no statement of an import any more (decisions D29)."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.scenarios.test_erase import rows_with

OVER = ("finished", "cancelled", "failed")


def imported(api: httpx.Client, content: str) -> tuple[int, list[dict[str, Any]]]:
    """The file's import when it is over, and its statement."""
    started = api.post("/imports", files={"file": ("people.csv", content)})
    number = started.raise_for_status().json()["id"]
    deadline = time.monotonic() + 60
    while api.get(f"/imports/{number}").json()["state"] not in OVER:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return number, statement(api, number)


def statement(api: httpx.Client, number: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get(f"/imports/{number}/rows").json()
    return rows


def test_no_statement_names_an_erased_person(api: httpx.Client, database: Any) -> None:
    alone, [created] = imported(api, "Email\nyara.secret@example.com\n")
    wrong, _ = imported(api, "External ID,Email\nYARA-SECRET,no address of yara.secret\n")
    merging, [merged] = imported(api, "External ID,Email\nYARA-SECRET,yara.secret@example.com\n")
    assert (created["value"], merged["outcome"]) == ("yara.secret@example.com", "merged")
    assert merged["mergedWith"] == [created["contactId"]]
    assert "import_row" in rows_with(database, "yara")

    api.delete(f"/contact/{merged['contactId']}", params={"erase": "true"}).raise_for_status()

    for number in (alone, wrong, merging):
        assert [row.get("value") for row in statement(api, number)] == [None]
    for word in ("yara.secret", "YARA-SECRET"):
        assert rows_with(database, word) == []
    for content in ("Email\nyara.secret@example.com\n", "External ID\nYARA-SECRET\n"):
        _, [row] = imported(api, content)
        assert (row["outcome"], row.get("value")) == ("suppressed", None)
    assert rows_with(database, "yara") == []
