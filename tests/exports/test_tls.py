"""The way to a PostgreSQL with TLS and without: libpq's own handshakes, with real certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kartoteka.exports.errors import InvalidExport, TargetFailed
from tests.exports.conftest import Exporting, Warehouse, picture, table
from tests.exports.tls_front import Authority, tls_front
from tests.rules.stories import add

OURS, OTHER = Authority("Shop's authority"), Authority("Somebody's authority")
NOT_TRUSTED = "The server's certificate is out of date, or signed by nobody who is trusted here"


class Way:
    """Connection strings to the warehouse through a front."""

    def __init__(self, exporting: Exporting, warehouse: Warehouse, port: int) -> None:
        self._exporting = exporting
        self._parts = urlsplit(warehouse.url)
        self._port = port

    def settings(self, host: str, mode: str, root: str | None = None) -> dict[str, Any]:
        login = f"{self._parts.username}:{self._parts.password}"
        url = f"postgresql://{login}@{host}:{self._port}{self._parts.path}?sslmode={mode}"
        return {"url": url, "schema": "public", "rootCertificate": root}

    async def warnings(self, *said: Any) -> list[str]:
        """Codes of what validate-connection warns of."""
        body = {"target": "postgres", "settings": self.settings(*said)}
        found = await self._exporting.exports.validate(self._exporting.account_id, body)
        return [one.code for one in found]

    async def refusal(self, *said: Any) -> TargetFailed:
        with pytest.raises(TargetFailed) as caught:
            await self.warnings(*said)
        return caught.value


@pytest.fixture
def secure(exporting: Exporting, warehouse: Warehouse, tmp_path: Path) -> Iterator[Way]:
    """With a certificate of ours, for localhost."""
    with tls_front(warehouse.url, tmp_path, OURS.certificate("localhost")) as port:
        yield Way(exporting, warehouse, port)


@pytest.fixture
def plain(exporting: Exporting, warehouse: Warehouse, tmp_path: Path) -> Iterator[Way]:
    with tls_front(warehouse.url, tmp_path, None) as port:
        yield Way(exporting, warehouse, port)


async def test_each_mode_checks_what_it_says(secure):
    assert await secure.warnings("localhost", "verify-full", OURS.pem) == []
    assert await secure.warnings("localhost", "verify-ca", OURS.pem) == []
    assert await secure.warnings("127.0.0.1", "verify-ca", OURS.pem) == []  # not the name
    for mode in ("prefer", "require"):
        assert await secure.warnings("localhost", mode) == ["tls_not_verified"]
    assert await secure.warnings("localhost", "disable") == ["no_tls"]
    assert await secure.warnings("localhost", "allow") == ["no_tls"]


async def test_a_certificate_of_another_host_is_refused_in_words(secure):
    error = await secure.refusal("127.0.0.1", "verify-full", OURS.pem)
    assert error.code == "export_target_unreachable"
    assert "The server's certificate is of another host than the connection string" in error.message


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_a_certificate_that_nobody_trusted_signed_is_refused_in_words(secure, mode):
    """With another root certificate, and with the public ones."""
    for root in (OTHER.pem, None):
        error = await secure.refusal("localhost", mode, root)
        assert error.code == "export_target_unreachable"
        assert NOT_TRUSTED in error.message


async def test_a_server_without_tls_is_refused_or_warned_of(plain):
    for mode in ("disable", "allow", "prefer"):
        assert await plain.warnings("localhost", mode) == ["no_tls"]
    for mode in ("require", "verify-ca", "verify-full"):
        error = await plain.refusal("localhost", mode, OURS.pem if mode != "require" else None)
        assert "The server does not support TLS" in error.message


async def test_rows_go_through_it(exporting, warehouse, secure):
    """The root certificate is kept with the export, and asks for the strictest mode by itself."""
    await exporting.shop.id(add(x="X1", email="x1@example.com"))
    settings = secure.settings("localhost", "verify-full", OURS.pem)
    settings["url"] = settings["url"].partition("?")[0]
    one = await exporting.create(datasets=("contacts",), target="postgres", settings=settings)
    assert (one.settings["sslmode"], one.settings["rootCertificate"]) == ("verify-full", True)
    assert "CERTIFICATE" not in repr(one.settings)
    await exporting.good_run(one)
    assert table(warehouse, "contacts") == picture(exporting, "contacts")
    changed = {"settings": {**settings, "rootCertificate": OTHER.pem}}
    await exporting.exports.change(exporting.account_id, one.export_id, changed)
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_unreachable")
    assert NOT_TRUSTED in run.error


async def test_what_is_no_certificate_is_refused_at_once(secure):
    broken = OURS.pem.replace(OURS.pem[40:60], "A" * 20)
    with pytest.raises(InvalidExport, match="PEM certificate"):
        await secure.warnings("localhost", "verify-full", broken)
