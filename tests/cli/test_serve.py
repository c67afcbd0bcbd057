"""The server from its start to its end, as whoever operates it sees it."""

from __future__ import annotations

import httpx


def test_the_first_start_prints_address_key_and_admin_and_the_second_only_the_address(
    start_server, tmp_path
):
    first = start_server(folder=tmp_path / "data", KARTOTEKA_API_KEY="")
    assert httpx.get(f"{first.url}/health").status_code == 200
    first.process.send_signal(2)
    rest = first.process.stdout.read()
    assert first.stop() == 0
    shown = "\n".join([*first.lines, rest])
    assert "API key: kk_" in shown
    assert "Admin login: admin" in shown
    assert "Admin password: " in shown

    again = start_server(folder=tmp_path / "data")
    again.process.terminate()
    assert "key" not in again.process.stdout.read().lower()
