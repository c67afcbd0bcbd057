"""What is secret in a link is sent where it belongs and stands nowhere else."""

from __future__ import annotations

import asyncio
import logging
import traceback
from base64 import b64encode

import pytest

from kartoteka.errors import KartotekaError
from tests.outbound.conftest import OTHER, answer, raw, redirect

CSV = b"Email\nbob@shop.example\n"
BASIC = b"Authorization: Basic " + b64encode(b"bob:s3cret")
LINK = "http://bob:s3cret@shop.example/list-s3cret.csv?key=s3cret&sig=s3cret#s3cret"


def sent_to(internet, host: bytes) -> list[bool]:
    """Of each request to that host, whether the credentials were in it."""
    return [BASIC in one for one in internet.requests if b"\r\nHost: " + host + b"\r\n" in one]


async def test_credentials_are_sent_as_basic_and_not_in_the_request_line(internet, tmp_path):
    await internet.host("shop.example", answer(CSV))
    await internet.outbound().download(LINK, tmp_path / "file")
    line, _, headers = internet.requests[0].partition(b"\r\n")
    assert line == b"GET /list-s3cret.csv?key=s3cret&sig=s3cret HTTP/1.1"
    assert headers.count(BASIC) == 1
    assert b"bob:" not in internet.requests[0]


async def test_credentials_follow_to_the_same_origin_only(internet, tmp_path):
    async def first(request, writer):
        to = "/second" if request.startswith(b"GET /list") else "http://other.example/third"
        await redirect(to)(request, writer)

    await internet.host("shop.example", first)
    await internet.host("other.example", answer(CSV), address=OTHER)
    await internet.outbound().download(LINK, tmp_path / "file")
    assert sent_to(internet, b"shop.example") == [True, True]
    assert sent_to(internet, b"other.example") == [False]
    assert b"s3cret" not in internet.requests[2]


async def test_credentials_do_not_come_back_after_another_origin(internet, tmp_path):
    """Else that other one chose what is read with them."""

    async def first(request, writer):
        back = request.startswith(b"GET /chosen")
        await (answer(CSV) if back else redirect("http://other.example/"))(request, writer)

    await internet.host("shop.example", first)
    await internet.host("other.example", redirect("http://shop.example/chosen"), address=OTHER)
    await internet.outbound().download(LINK, tmp_path / "file")
    assert sent_to(internet, b"shop.example") == [True, False]


async def test_another_port_of_the_same_host_gets_no_credentials(internet, tmp_path):
    await internet.host("shop.example", redirect("http://shop.example:8080/"))
    await internet.host("shop.example", answer(CSV), port=8080)
    await internet.outbound().download(LINK, tmp_path / "file")
    assert sent_to(internet, b"shop.example:8080") == [False]


FAILING = {
    "404": answer(b"s3cret", status="404 s3cret"),
    "no HTTP": raw(b"s3cret s3cret\r\n\r\n"),
    "cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ns3cret"),
    "bad chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ns3cret\r\n"),
    "private": redirect("http://bob:s3cret@127.0.0.1/?key=s3cret"),
    "nowhere": redirect("http://bob:s3cret@unknown.example/?key=s3cret"),
    "unreadable": redirect("http://bob:s3cret@s3cret@x/?key=s3cret"),
    "ring": redirect("/?key=s3cret"),
    "packed": answer(b"s3cret", content_encoding="gzip"),
    "compressed": answer(b"s3cret", content_encoding="s3cret"),
    "large": answer(b"s3cret" * 200),
}


@pytest.mark.parametrize("name", FAILING)
async def test_neither_log_lines_nor_errors_tell_a_secret(internet, tmp_path, caplog, name):
    caplog.set_level(logging.DEBUG)
    await internet.host("shop.example", FAILING[name])
    with pytest.raises(KartotekaError) as caught:
        await internet.outbound().download(LINK, tmp_path / "file", max_bytes=1000)
    without_places = traceback.TracebackException.from_exception(caught.value, capture_locals=False)
    told = [caught.value.message, str(caught.value), repr(caught.value), str(caught.value.details)]
    told += [*without_places.format(), caplog.text]
    assert [
        text for text in told if "s3cret" in text or b64encode(b"s3cret").decode() in text
    ] == []
    assert [text for text in told if "bob" in text] == []


@pytest.mark.parametrize(
    "link",
    ["ftp://bob:s3cret@x/", "http://bob:s3cret@s3cret@x/", "http://s3cret:s3cret@[s3cret]/",
     "http://bob:s3cret@x:99999/?s3cret", "http://bob:s3cret@x/\r\ns3cret",
     "http://s3cret%0d:x@x/", "http://ö" + "s3cret" * 20 + "/", "http://x.s3cret..x/"],
    ids=range(8),
)  # fmt: skip
async def test_a_link_that_is_not_read_is_not_quoted(internet, tmp_path, link):
    with pytest.raises(KartotekaError) as caught:
        await internet.outbound().download(link, tmp_path / "file")
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in repr(caught.value)


async def test_a_successful_download_logs_no_secret(internet, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    await internet.host("shop.example", redirect("http://other.example/?key=s3cret"))
    cookie = answer(CSV, set_cookie="s3cret=s3cret")
    await internet.host("other.example", cookie, address=OTHER)
    done = await internet.outbound().download(LINK.replace("list-s3cret", "a"), tmp_path / "file")
    await asyncio.sleep(0)
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(done)
