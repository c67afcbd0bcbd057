"""Part 7: whether a website has the tracker, of real pages behind real servers (wire 9.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kartoteka.activity.sites.installed import MOST_BYTES, look_at
from kartoteka.activity.sites.model import Site
from kartoteka.activity.sites.script import snippet
from kartoteka.errors import LinkFailed, LinkRefused
from tests.outbound.conftest import OTHER, PUBLIC, answer, redirect

KEY = "0123456789ABCDEF"
SITE = Site(account_id=1, site_key=KEY, domain="shop.example")
PAGE = (Path(__file__).parents[2] / "tracker" / "pages" / "index.html").read_text("utf-8")


def page(key: str = KEY) -> bytes:
    """A page of the shop with the snippet of that website."""
    assert "<!-- snippet -->" in PAGE
    return PAGE.replace("<!-- snippet -->", snippet("kartoteka.example", key)).encode()


@pytest.mark.parametrize(
    ("body", "is_there"),
    [
        (page(), True),
        (f'<script async src="https://k.example/scripts/{KEY}.js"></script>'.encode(), True),
        (page("FEDCBA9876543210"), False),  # of another website
        (b"<h1>Shop</h1>", False),
        (b"", False),
        (b"x" * MOST_BYTES + page(), None),  # too long to be sure
    ],
)
async def test_the_first_page_is_looked_at(internet, authority, body, is_there):
    tls = authority.server("shop.example")
    await internet.host("shop.example", answer(body), port=443, tls=tls)
    look = await look_at(internet.outbound(tls=authority.client()), SITE)
    assert look.is_there is is_there


async def test_it_goes_where_the_domain_leads(internet, authority):
    tls = authority.server("shop.example")
    there = redirect("https://www.shop.example/home")
    await internet.host("shop.example", there, port=443, tls=tls)
    tls = authority.server("www.shop.example")
    await internet.host("www.shop.example", answer(page()), address=OTHER, port=443, tls=tls)
    assert (await look_at(internet.outbound(tls=authority.client()), SITE)).is_there


async def test_a_shop_without_a_certificate_is_looked_at_too(internet):
    await internet.host("shop.example", answer(page()), port=80)
    assert (await look_at(internet.outbound(), SITE)).is_there
    assert internet.dialled == [(PUBLIC, 443), (PUBLIC, 80)]


async def test_a_page_that_fails_says_so(internet, authority):
    tls = authority.server("shop.example")
    closed = answer(b"<h1>Back soon</h1>", "503 Service Unavailable")
    await internet.host("shop.example", closed, port=443, tls=tls)
    look = await look_at(internet.outbound(tls=authority.client()), SITE)
    assert (look.is_there, look.status) == (None, 503)


async def test_nobody_there_and_private_addresses_are_said(internet):
    with pytest.raises(LinkFailed):
        await look_at(internet.outbound(), SITE)
    await internet.host("shop.example", answer(page()), address="10.0.0.7")
    with pytest.raises(LinkRefused):
        await look_at(internet.outbound(), SITE)
