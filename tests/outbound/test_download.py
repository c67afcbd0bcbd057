"""Fetching a file: whole or not at all, within its limits, and what people are told when it fails."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import stat
import time
from contextlib import asynccontextmanager

import pytest
import uvloop

from kartoteka.errors import LinkFailed, LinkRefused
from kartoteka.outbound.client import Outbound
from kartoteka.outbound.unpacking import unpacking
from tests.outbound.conftest import OTHER, PUBLIC, Internet, answer, raw, redirect

CSV = b"Email,First name\nbob@shop.example,Bob\n"
LINK = "http://shop.example/lists/customers.csv?v=1"


@asynccontextmanager
async def refused(folder, sentence, error=LinkFailed):
    """It fails with that sentence, and nothing is left in the folder."""
    with pytest.raises(error) as caught:
        yield
    assert caught.value.message == sentence
    assert list(folder.iterdir()) == []


async def test_a_file_is_fetched_whole(internet, tmp_path):
    await internet.host("shop.example", answer(CSV, content_type="Text/CSV; charset=utf-8"))
    done = await internet.outbound().download(LINK, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CSV
    assert (done.size, done.digest) == (len(CSV), hashlib.sha256(CSV).hexdigest())
    assert (done.content_type, done.name) == ("text/csv", "customers.csv")
    assert internet.looked_up == ["shop.example"]
    assert internet.dialled == [(PUBLIC, 80)]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


async def test_the_request_names_the_host_and_nothing_of_ours(internet, tmp_path):
    await internet.host("shop.example", answer(CSV), port=8081)
    link = "http://SHOP.example:8081/a b?x=ф#part"
    await internet.outbound().download(link, tmp_path / "file")
    lines = internet.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /a%20b?x=%D1%84 HTTP/1.1"
    names = {line.partition(":")[0] for line in lines[1:] if line}
    assert "Host: shop.example:8081" in lines
    assert names == {"Host", "User-Agent", "Connection", "Accept", "Accept-Encoding"}


async def test_proxies_and_netrc_of_the_environment_are_not_read(internet, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine shop.example login eve password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    await internet.host("shop.example", answer(CSV))
    await internet.outbound().download(LINK, tmp_path / "file")
    assert internet.dialled == [(PUBLIC, 80)]
    assert b"uthorization" not in internet.requests[0]


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nabcd",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    ],
    ids=["chunked", "until closed", "after a 100"],
)
async def test_bodies_of_every_framing_arrive(internet, tmp_path, octets):
    await internet.host("shop.example", raw(octets))
    await internet.outbound().download(LINK, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"abcd"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (gzip.compress(CSV), CSV),
        (gzip.compress(CSV[:9]) + gzip.compress(CSV[9:]), CSV),
        (gzip.compress(CSV) + b"\0" * 20, CSV),
        (gzip.compress(bytes(3_000_000) + b"end"), bytes(3_000_000) + b"end"),
        (b"", b""),
    ],
    ids=["one member", "two members", "zeros after it", "several pieces", "empty"],
)
async def test_gzip_is_unpacked(internet, tmp_path, body, kept):
    await internet.host("shop.example", answer(body, content_encoding="gzip"))
    done = await internet.outbound().download(LINK, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == kept
    assert (done.size, done.digest) == (len(kept), hashlib.sha256(kept).hexdigest())


@pytest.mark.parametrize(
    ("body", "coding", "sentence"),
    [
        (gzip.compress(CSV)[:-5], "gzip", "What the link answers ends before it is complete."),
        (CSV, "gzip", "What the link answers cannot be unpacked."),
        (gzip.compress(CSV) + b"x", "gzip", "What the link answers ends before it is complete."),
        (gzip.compress(b"") * 10_001, "gzip", "What the link answers cannot be unpacked."),
        (CSV, "br", "The link answers in a compression that was not asked for."),
        (CSV, "gzip, gzip", "The link answers in a compression that was not asked for."),
    ],
    ids=["cut", "none", "rest", "many members", "br", "twice"],
)
async def test_what_cannot_be_unpacked_is_refused(internet, tmp_path, body, coding, sentence):
    await internet.host("shop.example", answer(body, content_encoding=coding))
    async with refused(tmp_path, sentence):
        await internet.outbound().download(LINK, tmp_path / "file")


@pytest.mark.parametrize(
    "server",
    [
        answer(bytes(1_500_000)),
        answer(b"", content_length="1000001"),
        raw(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(1_500_000)),
        answer(gzip.compress(bytes(1_000_001)), content_encoding="gzip"),
        answer(gzip.compress(bytes(100_000_000), 1), content_encoding="gzip"),
        raw(
            b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
            + gzip.compress(CSV)
            + bytes(1_500_000)
        ),
    ],
    ids=["announced", "announced only", "not announced", "gzip", "bomb", "zeros after it"],
)
async def test_too_large_a_file_is_refused(internet, tmp_path, server):
    await internet.host("shop.example", server)
    async with refused(tmp_path, "The file behind the link is larger than 1 MB."):
        await internet.outbound().download(LINK, tmp_path / "file", max_bytes=1_000_000)


async def test_a_file_of_exactly_the_limit_is_taken(internet, tmp_path):
    await internet.host("shop.example", answer(bytes(1_000_000)))
    done = await internet.outbound().download(LINK, tmp_path / "file", max_bytes=1_000_000)
    assert done.size == 1_000_000


async def test_a_bomb_is_unpacked_in_pieces_and_only_as_they_are_asked_for():
    bomb = gzip.compress(bytes(50_000_000), 1)
    unpack = unpacking("gzip")
    assert len(next(unpack.feed(bomb))) <= 262_144
    sizes = [len(piece) for piece in unpacking("gzip").feed(bomb)]
    assert sum(sizes) <= 50_000_000
    assert max(sizes) <= 262_144


@pytest.mark.parametrize(
    "status", ["404 Not Found", "401 No", "500 Oops", "204 Nothing", "304 Old"]
)
async def test_another_status_is_told(internet, tmp_path, status):
    octets = f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode()
    await internet.host("shop.example", raw(octets))
    async with refused(tmp_path, f"The link answers {status[:3]}."):
        await internet.outbound().download(LINK, tmp_path / "file")


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "What answers at the link does not speak HTTP."),
        (b"220 mail.example ESMTP\r\n", "What answers at the link does not speak HTTP."),
        (
            b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000,
            "What answers at the link does not speak HTTP.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
            "The connection to the link broke off before all had arrived.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
            "The connection to the link broke off before all had arrived.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret",
            "The connection to the link broke off before all had arrived.",
        ),
    ],
    ids=["silence", "mail", "endless header", "cut", "cut chunk", "no chunk"],
)
async def test_a_broken_answer_leaves_no_file(internet, tmp_path, octets, sentence):
    await internet.host("shop.example", raw(octets))
    async with refused(tmp_path, sentence):
        await internet.outbound().download(LINK, tmp_path / "file")


async def test_unknown_and_silent_hosts_are_told(internet, tmp_path):
    internet.names["closed.example"] = [[OTHER]]
    internet.names["empty.example"] = [[]]
    for host, sentence in (
        ("unknown.example", "The host of the link is not known."),
        ("empty.example", "The host of the link is not known."),
        ("closed.example", "The host of the link cannot be reached."),
    ):
        async with refused(tmp_path, sentence):
            await internet.outbound().download(f"http://{host}/", tmp_path / "file")


def dripping(head: bytes, piece: bytes):
    async def handler(_request, writer):
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)

    return handler


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
    ids=["body", "headers", "100", "chunks"],
)
async def test_the_time_is_for_everything_together(internet, tmp_path, head, piece):
    """Every single read is answered at once; only a limit on the whole ends it."""
    await internet.host("shop.example", dripping(head, piece))
    started = time.monotonic()
    async with refused(tmp_path, "The link did not answer in full within 0.3 seconds."):
        await internet.outbound().download(LINK, tmp_path / "file", within_s=0.3)
    assert time.monotonic() - started < 60
    async with asyncio.timeout(60):
        while not internet.closed:  # noqa: ASYNC110  the server sees that we are gone
            await asyncio.sleep(0.01)


async def test_redirects_share_the_time(internet, tmp_path):
    async def slowly(_request, writer):
        await asyncio.sleep(1.6)
        await redirect("/next")(_request, writer)

    await internet.host("shop.example", slowly)
    async with refused(tmp_path, "The link did not answer in full within 3 seconds."):
        await internet.outbound().download(LINK, tmp_path / "file", within_s=3)
    assert len(internet.requests) == 2


async def test_a_name_server_that_does_not_answer_is_given_up(internet, tmp_path):
    async def never(_name):
        await asyncio.Event().wait()

    async with refused(tmp_path, "The link did not answer in full within 0.1 seconds."):
        outbound = internet.outbound(resolve=never)
        await outbound.download(LINK, tmp_path / "file", within_s=0.1)


async def test_a_cancelled_download_leaves_nothing(internet, tmp_path):
    await internet.host("shop.example", dripping(b"HTTP/1.0 200 OK\r\n\r\n", bytes(300_000)))
    task = asyncio.create_task(internet.outbound().download(LINK, tmp_path / "file"))
    while not sum(path.stat().st_size for path in tmp_path.iterdir()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_what_a_killed_process_left_is_no_obstacle(internet, tmp_path):
    (tmp_path / "file.part").write_bytes(b"of a former life, longer than the file" * 9)
    await internet.host("shop.example", answer(CSV))
    await internet.outbound().download(LINK, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CSV
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_link_that_cannot_be_read_makes_no_file_and_no_look_up(internet, tmp_path):
    async with refused(tmp_path, "The link must begin with http:// or https://.", LinkRefused):
        await internet.outbound().download("ftp://shop.example/", tmp_path / "file")
    assert internet.looked_up == []


async def test_others_have_their_turn_while_bytes_come_one_by_one(internet, tmp_path):
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 60_000
    await internet.host("shop.example", raw(body + b"0\r\n\r\n"))
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await internet.outbound().download(LINK, tmp_path / "file")
    task.cancel()
    assert turns > 60_000 / 64


@pytest.mark.parametrize(
    ("link", "disposition", "name"),
    [
        ("/customers.csv?key=secret.txt", "", "customers.csv"),
        ("/files/%D1%84%2E%2Fx.csv", "", "x.csv"),
        ("/download", "", ""),
        ("/download", 'attachment; filename="May list.csv"', "May list.csv"),
        ("/a.csv", "attachment; filename*=UTF-8''%D1%84.xlsx", "ф.xlsx"),
        ("/a.csv", "attachment; filename=ф.xlsx", "ф.xlsx"),
        ("/a.csv", 'attachment; filename="../../etc/cron.d/x"', "x"),
        ("/a.csv", 'attachment; filename="C:\\\\x\\\\y.csv"', "y.csv"),
        ("/a.csv", "attachment; filename*=nonsense''%ff.csv", "ÿ.csv"),
        ("/a.csv", "attachment; filename=..", "a.csv"),
        ("/a.csv", "attachment", "a.csv"),
        ("/" + "a" * 300 + ".csv", "", "a" * 196 + ".csv"),
    ],
)
async def test_a_file_has_the_name_that_its_sender_gives(
    internet, tmp_path, link, disposition, name
):
    await internet.host("shop.example", answer(CSV, content_disposition=disposition))
    done = await internet.outbound().download(f"http://shop.example{link}", tmp_path / "file")
    assert done.name == name


def test_it_runs_on_the_event_loop_of_the_server(tmp_path):
    async def fetch():
        internet = Internet()
        await internet.host("shop.example", answer(gzip.compress(CSV), content_encoding="gzip"))
        await internet.host("slow.example", dripping(b"", b"H"), address=OTHER)
        done = await internet.outbound().download(LINK, tmp_path / "file")
        slow = internet.outbound().download("http://slow.example/", tmp_path / "2", within_s=0.1)
        with pytest.raises(LinkFailed):
            await slow
        await internet.close()
        return done

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(fetch()).size == len(CSV)


async def test_the_system_s_resolver_and_network_are_used_by_default(tmp_path):
    server = await asyncio.start_server(_serve_csv, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = f"http://localhost:{port}/a.csv"
    done = await Outbound(allow_private=True).download(link, tmp_path / "file")
    assert done.size == len(CSV)
    with pytest.raises(LinkRefused):
        await Outbound(allow_private=False).download(link, tmp_path / "file")
    with pytest.raises(LinkFailed, match="not known"):
        await Outbound(allow_private=True).download("http://no.invalid/", tmp_path / "file")
    server.close()


async def _serve_csv(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await answer(CSV)(b"", writer)
    writer.close()
