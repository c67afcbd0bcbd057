"""Single requests: what webhooks will send, and what they are told."""

from __future__ import annotations

import pytest

from kartoteka.errors import LinkFailed, LinkRefused
from tests.outbound.conftest import OTHER, answer, raw, redirect

LINK = "http://bob:s3cret@shop.example/hook?key=1"


async def test_a_body_and_headers_are_sent_and_any_status_is_the_answer(internet):
    await internet.host("shop.example", answer(b"later", status="503 Busy", retry_after="7"))
    answered = await internet.outbound().request(
        "POST", LINK, headers={"Content-Type": "application/json", "X-Signed": "abc"}, body=b"{}"
    )
    assert (answered.status, answered.body, answered.cut) == (503, b"later", False)
    assert answered.headers["retry-after"] == "7"
    head, _, body = internet.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?key=1 HTTP/1.1\r\nHost: shop.example\r\n")
    assert b"\r\nX-Signed: abc" in head
    assert b"\r\nContent-Length: 2" in head
    assert b"\r\nAuthorization: Basic Ym9iOnMzY3JldA==" in head
    assert body == b"{}"


async def test_an_authorization_of_the_caller_s_own_goes_first(internet):
    await internet.host("shop.example", answer())
    await internet.outbound().request("GET", LINK, headers={"authorization": "Bearer t"})
    lines = internet.requests[0].lower().split(b"\r\n")
    assert [line for line in lines if line.startswith(b"auth")] == [b"authorization: bearer t"]


async def test_a_post_without_a_body_says_so_and_is_not_redirected(internet):
    await internet.host("shop.example", redirect("/elsewhere", "307 There"))
    answered = await internet.outbound().request("POST", LINK)
    assert (answered.status, answered.headers["location"]) == (307, "/elsewhere")
    assert b"\r\nContent-Length: 0\r\n" in internet.requests[0]
    assert len(internet.requests) == 1


async def test_a_get_is_redirected_and_another_origin_sees_no_headers(internet):
    await internet.host("shop.example", redirect("http://other.example/"))
    await internet.host("other.example", answer(b"ok"), address=OTHER)
    headers = {"X-Signed": "abc", "Accept": "text/plain"}
    answered = await internet.outbound().request("GET", LINK, headers=headers)
    assert answered.body == b"ok"
    assert b"X-Signed: abc" in internet.requests[0]
    assert b"X-Signed" not in internet.requests[1]
    assert b"Authorization" not in internet.requests[1]
    assert b"Accept: text/plain" in internet.requests[1]


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"a" * 2000, b"a" * 1000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc", b"abc"),
    ],
    ids=["long", "broken"],
)
async def test_of_a_long_or_broken_body_the_beginning_is_answered(internet, octets, body):
    """The other side has taken the request: an error here would send it twice."""
    await internet.host("shop.example", raw(octets))
    answered = await internet.outbound().request("POST", LINK, body=b"x", max_bytes=1000)
    assert (answered.status, answered.body, answered.cut) == (200, body, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "evil.example"),
        ("content-length", "9"),
        ("Transfer-Encoding", "chunked"),
        ("X", "a\r\nHost: evil.example"),
        ("X\r\nHost", "evil.example"),
        ("X Y", "a"),
        ("", "a"),
        ("X", "ф"),
        ("X", "a\0"),
    ],
    ids=range(9),
)
async def test_headers_that_say_something_else_are_refused(internet, name, value):
    with pytest.raises(
        LinkRefused, match=r"^The request to the link has a header that is not valid"
    ):
        await internet.outbound().request("POST", LINK, headers={name: value})
    assert internet.dialled == []


async def test_private_addresses_and_slow_answers_are_refused_as_well(internet):
    internet.names["shop.example"] = [["10.0.0.1"]]
    with pytest.raises(LinkRefused, match="private address"):
        await internet.outbound().request("POST", LINK, body=b"{}")
    with pytest.raises(LinkFailed, match="not known"):
        await internet.outbound().request("POST", "http://unknown.example/")
