"""TLS: to the checked address, under the name of the link."""

from __future__ import annotations

import asyncio

import pytest

from kartoteka.errors import LinkFailed, LinkRefused
from tests.outbound.conftest import OTHER, PUBLIC, answer, redirect

CSV = b"Email\nbob@shop.example\n"
BAD_CERTIFICATE = r"^The certificate of the link's host is not valid\.$"


async def test_the_certificate_and_sni_are_for_the_name(internet, tmp_path, authority):
    asked = []
    tls = authority.server("shop.example")
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    await internet.host("shop.example", answer(CSV), port=443, tls=tls)
    outbound = internet.outbound(tls=authority.client())
    await outbound.download("https://shop.example./a.csv", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CSV
    assert asked == ["shop.example"]
    assert internet.dialled == [(PUBLIC, 443)]
    assert b"\r\nHost: shop.example\r\n" in internet.requests[0]


async def test_a_certificate_for_another_name_is_refused(internet, tmp_path, authority):
    tls = authority.server("other.example")
    await internet.host("shop.example", answer(CSV), port=443, tls=tls)
    outbound = internet.outbound(tls=authority.client())
    with pytest.raises(LinkFailed, match=BAD_CERTIFICATE):
        await outbound.download("https://shop.example/", tmp_path / "file")
    assert internet.requests == []


async def test_a_certificate_that_nobody_trusts_is_refused(internet, tmp_path, authority):
    tls = authority.server("shop.example")
    await internet.host("shop.example", answer(CSV), port=443, tls=tls)
    with pytest.raises(LinkFailed, match=BAD_CERTIFICATE):
        await internet.outbound().download("https://bob:x@shop.example/", tmp_path / "file")
    assert internet.requests == []


async def test_an_address_in_the_link_needs_a_certificate_for_it(internet, tmp_path, authority):
    tls = authority.server(PUBLIC, "IP")
    await internet.host("", answer(CSV), port=8443, tls=tls)
    outbound = internet.outbound(tls=authority.client())
    await outbound.download(f"https://{PUBLIC}:8443/", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CSV


async def test_what_does_not_speak_tls_is_told(internet, tmp_path, authority):
    async def mail(_reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")

    server = await asyncio.start_server(mail, "127.0.0.1", 0)
    internet._places[PUBLIC, 443] = server.sockets[0].getsockname()[1]
    outbound = internet.outbound(tls=authority.client())
    with pytest.raises(
        LinkFailed, match=r"^No secure connection to the link's host can be made\.$"
    ):
        await outbound.download(f"https://{PUBLIC}/", tmp_path / "file")
    server.close()


async def test_a_handshake_without_end_is_given_up_and_closed(internet, tmp_path, authority):
    gone = asyncio.Event()

    async def silent(reader, _writer):
        while await reader.read(1000):
            pass
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    internet._places[PUBLIC, 443] = server.sockets[0].getsockname()[1]
    outbound = internet.outbound(tls=authority.client())
    with pytest.raises(LinkFailed, match=r"within 0\.2 seconds"):
        await outbound.download(f"https://{PUBLIC}/", tmp_path / "file", within_s=0.2)
    async with asyncio.timeout(60):
        await gone.wait()
    server.close()


async def test_http_may_lead_to_https_and_not_back(internet, tmp_path, authority):
    tls = authority.server("shop.example")
    await internet.host("shop.example", redirect("https://shop.example/"))
    await internet.host("shop.example", answer(CSV), port=443, tls=tls)
    await internet.host("down.example", redirect("http://shop.example/"), address=OTHER, port=443,
                        tls=authority.server("down.example"))  # fmt: skip
    outbound = internet.outbound(tls=authority.client())
    await outbound.download("http://shop.example/", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CSV
    with pytest.raises(LinkRefused, match=r"^The link redirects from https to http\.$"):
        await outbound.download("https://down.example/", tmp_path / "down")
    assert internet.dialled[-1] == (OTHER, 443)
