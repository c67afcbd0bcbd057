"""The address that was checked is the one connected to, at every redirect anew."""

from __future__ import annotations

import pytest

from kartoteka.errors import LinkFailed, LinkRefused
from tests.outbound.conftest import OTHER, PUBLIC, answer, redirect

CSV = b"Email\nbob@shop.example\n"
PRIVATE = "The link leads to a private address."


async def test_a_name_is_looked_up_once_and_a_second_answer_changes_nothing(internet, tmp_path):
    """DNS rebinding: public when asked first, ours when asked again."""
    internet.names["shop.example"] = [[PUBLIC], ["127.0.0.1"]]
    await internet.host("shop.example", answer(CSV))
    await internet.outbound().download("http://shop.example/", tmp_path / "file")
    assert internet.looked_up == ["shop.example"]
    assert internet.dialled == [(PUBLIC, 80)]


async def test_a_redirect_to_the_same_name_is_looked_up_and_checked_again(internet, tmp_path):
    internet.names["shop.example"] = [[PUBLIC], ["127.0.0.1"]]
    await internet.host("shop.example", redirect("/b"))
    with pytest.raises(LinkRefused, match=PRIVATE):
        await internet.outbound().download("http://shop.example/a", tmp_path / "file")
    assert internet.looked_up == ["shop.example"] * 2
    assert internet.dialled == [(PUBLIC, 80)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["169.254.169.254"],
        [PUBLIC, "192.168.0.1"],
        ["192.168.0.1", PUBLIC],
        [PUBLIC, "64:ff9b::10.0.0.1"],
    ],
    ids=",".join,
)
async def test_one_forbidden_address_condemns_the_name(internet, tmp_path, addresses):
    internet.names["shop.example"] = [addresses]
    await internet.host("shop.example", answer(CSV))
    with pytest.raises(LinkRefused, match=PRIVATE):
        await internet.outbound().download("http://shop.example/", tmp_path / "file")
    assert internet.dialled == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1:8080", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
     "169.254.169.254", "[fd00:ec2::254]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[::]",
     "[::127.0.0.1]", "１２７.0.0.1", "100.100.100.200"],
)  # fmt: skip
async def test_addresses_in_the_link_are_checked_without_looking_up(internet, tmp_path, host):
    with pytest.raises(LinkRefused, match=PRIVATE):
        await internet.outbound().download(f"http://{host}/", tmp_path / "file")
    assert (internet.looked_up, internet.dialled) == ([], [])


async def test_a_public_address_in_the_link_is_fine(internet, tmp_path):
    await internet.host("", answer(CSV), address="2606:4700::1", port=8080)
    await internet.outbound().download("http://[2606:4700:0::1]:8080/", tmp_path / "file")
    assert b"\r\nHost: [2606:4700::1]:8080\r\n" in internet.requests[0]
    assert internet.looked_up == []


async def test_the_next_address_is_tried_when_one_does_not_answer(internet, tmp_path):
    internet.names["shop.example"] = [["2606:4700::1", PUBLIC]]
    await internet.host("shop.example", answer(CSV))
    await internet.outbound().download("http://shop.example/", tmp_path / "file")
    assert internet.dialled == [("2606:4700::1", 80), (PUBLIC, 80)]


async def test_not_more_than_three_addresses_are_tried(internet, tmp_path):
    internet.names["shop.example"] = [[f"8.8.8.{n}" for n in range(1, 9)]]
    with pytest.raises(LinkFailed):
        await internet.outbound().download("http://shop.example/", tmp_path / "file")
    assert internet.dialled == [(f"8.8.8.{n}", 80) for n in (1, 2, 3)]


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
async def test_redirects_are_followed(internet, tmp_path, status):
    await internet.host("old.example", redirect("http://shop.example/c?d=1", status))
    await internet.host("shop.example", answer(CSV), address=OTHER)
    done = await internet.outbound().download("http://old.example/list.csv", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CSV
    assert done.name == "list.csv"
    assert internet.dialled == [(PUBLIC, 80), (OTHER, 80)]
    assert internet.requests[1].startswith(b"GET /c?d=1 HTTP/1.1\r\nHost: shop.example\r\n")


def counting(redirects: int):
    """A server whose `/0` leads to `/1` and so on, that many times."""

    async def handler(request, writer):
        number = int(request.split()[1].strip(b"/"))
        then = answer(CSV) if number == redirects else redirect(f"/{number + 1}")
        await then(request, writer)

    return handler


async def test_three_redirects_are_followed_and_not_four(internet, tmp_path):
    await internet.host("three.example", counting(3))
    await internet.host("four.example", counting(4), address=OTHER)
    await internet.outbound().download("http://three.example/0", tmp_path / "file")
    with pytest.raises(LinkFailed, match=r"^The link redirects more than 3 times\.$"):
        await internet.outbound().download("http://four.example/0", tmp_path / "four")
    assert internet.looked_up == ["three.example"] * 4 + ["four.example"] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("http://127.0.0.1/", PRIVATE),
        ("http://inside.example/", PRIVATE),
        ("http://[::ffff:169.254.169.254]/latest/", PRIVATE),
        ("//10.0.0.1/", PRIVATE),
        ("http://2130706433/", "The link redirects to an address that cannot be used."),
        ("file:///etc/passwd", "The link redirects to an address that cannot be used."),
        ("http://a@b@inside.example/", "The link redirects to an address that cannot be used."),
    ],
)
async def test_a_redirect_leads_nowhere_that_a_link_may_not(internet, tmp_path, to, sentence):
    internet.names["inside.example"] = [["10.0.0.7"]]
    await internet.host("shop.example", redirect(to))
    with pytest.raises(LinkRefused) as caught:
        await internet.outbound().download("http://shop.example/", tmp_path / "file")
    assert caught.value.message == sentence
    assert internet.dialled == [(PUBLIC, 80)]
    assert list(tmp_path.iterdir()) == []


async def test_a_redirect_without_a_place_is_its_status(internet, tmp_path):
    await internet.host("shop.example", answer(status="302 Found"))
    with pytest.raises(LinkFailed, match=r"^The link answers 302\.$"):
        await internet.outbound().download("http://shop.example/", tmp_path / "file")


async def test_the_setting_opens_private_addresses_and_no_metadata(internet, tmp_path):
    internet.names["inside.example"] = [["10.0.0.7"]]
    await internet.host("inside.example", answer(CSV), address="10.0.0.7")
    outbound = internet.outbound(allow_private=True)
    await outbound.download("http://inside.example/", tmp_path / "file")
    with pytest.raises(LinkRefused, match=PRIVATE):
        await outbound.download("http://169.254.169.254/latest/", tmp_path / "file")
    assert internet.dialled == [("10.0.0.7", 80)]
