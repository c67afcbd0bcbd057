"""Links are read strictly, once, and what cannot be read is refused without being quoted."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kartoteka.errors import LinkRefused
from kartoteka.outbound.links import follow, read_link

READ = [
    ("http://shop.example/a.csv", "http", "shop.example", 80, "/a.csv"),
    ("HTTPS://Shop.Example", "https", "shop.example", 443, "/"),
    ("  https://shop.example/  ", "https", "shop.example", 443, "/"),
    ("http://shop.example:8080?a=1#part", "http", "shop.example", 8080, "/?a=1"),
    ("http://shop.example:/x", "http", "shop.example", 80, "/x"),
    ("https://shop.example./x", "https", "shop.example", 443, "/x"),
    ("https://my_bucket.example/%41%2f?q=%20", "https", "my_bucket.example", 443, "/%41%2f?q=%20"),
    ("https://приклад.укр/файл 1.csv", "https", "xn--80aikifvh.xn--j1amh", 443,
     "/%D1%84%D0%B0%D0%B9%D0%BB%201.csv"),
    ("http://faß.de/", "http", "xn--fa-hia.de", 80, "/"),
    ("http://ⓢhop。example/", "http", "shop.example", 80, "/"),
    ("http://１２７.0.0.1/", "http", "127.0.0.1", 80, "/"),
    ("http://8.8.8.8:65535/", "http", "8.8.8.8", 65535, "/"),
    ("http://[2606:4700::1]:81/", "http", "2606:4700::1", 81, "/"),
    ("http://[0:0::FFFF:127.0.0.1]/", "http", "::ffff:7f00:1", 80, "/"),
    ("http://a/b@c:d//e", "http", "a", 80, "/b@c:d//e"),
    ("http://a?b@c/d", "http", "a", 80, "/?b@c/d"),
    ("http://a#@b/", "http", "a", 80, "/"),
]  # fmt: skip

REFUSED = [
    ("", "must begin"),
    ("shop.example/a.csv", "must begin"),
    ("//shop.example/", "must begin"),
    ("http:/shop.example/", "must begin"),
    ("http:shop.example", "must begin"),
    ("ftp://shop.example/", "must begin"),
    ("file:///etc/passwd", "must begin"),
    ("gopher://127.0.0.1:6379/_x", "must begin"),
    ("javascript:alert(1)", "must begin"),
    ("http:///a", "valid host"),
    ("http://:80/", "valid host"),
    ("http://user@/", "valid host"),
    ("http://./", "valid host"),
    ("http://a..b/", "valid host"),
    ("http://a.b../", "valid host"),
    ("http://.a/", "valid host"),
    ("http://a b/", "valid host"),
    ("http://a%2eb/", "valid host"),
    ("http://%31%32%37.0.0.1/", "valid host"),
    ("http://a,b/", "valid host"),
    ("http://℀.example/", "valid host"),
    ("http://a／b/", "valid host"),
    ("http://" + "a" * 64 + ".example/", "valid host"),
    ("http://" + "a." * 130 + "example/", "valid host"),
    ("http://2130706433/", "valid host"),
    ("http://0x7f000001/", "valid host"),
    ("http://0x7f.0.0.1/", "valid host"),
    ("http://0177.0.0.1/", "valid host"),
    ("http://127.1/", "valid host"),
    ("http://127.0.0.1.5/", "valid host"),
    ("http://127.0.0.256/", "valid host"),
    ("http://127.0.0.０x1/", "valid host"),
    ("http://a.0x/", "valid host"),
    ("http://[::1%25eth0]/", "valid host"),
    ("http://[fe80::1%eth0]/", "valid host"),
    ("http://[v1.x]/", "valid host"),
    ("http://[::1/", "valid host"),
    ("http://::1/", "valid host"),
    ("http://[::1]a/", "valid host"),
    ("http://[]/", "valid host"),
    ("http://a:0/", "port of the link"),
    ("http://a:65536/", "port of the link"),
    ("http://a:-1/", "valid host"),
    ("http://a:８０/", "valid host"),
    ("http://a:80:80/", "valid host"),
    ("http://user:pass@evil@shop.example/", "more than one @"),
    ("http://shop.example\\@evil.example/", "backslash"),
    ("http:\\\\shop.example/", "backslash"),
    ("http://shop.example/a\r\nHost: evil/", "line break"),
    ("http://shop.example\t/", "line break"),
    ("http://shop.example/\x00", "line break"),
    ("http://shop.example/\x85", "line break"),
    ("http://us%0d%0aer:x@shop.example/", "control character"),
    ("http://shop.example/\ud800", "characters in it that are none"),
    ("http://\ud800@shop.example/", "characters in it that are none"),
    ("http://shop.example/" + "a" * 8200, "longer than"),
]


@pytest.mark.parametrize(("text", "scheme", "host", "port", "target"), READ)
def test_a_link_is_read(text, scheme, host, port, target):
    link = read_link(text)
    assert (link.scheme, link.host, link.port, link.target) == (scheme, host, port, target)
    assert link.login is None


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_may_be_read_in_two_ways_is_refused(text, reason):
    with pytest.raises(LinkRefused) as caught:
        read_link(text)
    assert reason in caught.value.message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("userinfo", "login"),
    [
        ("bob:secret", b"bob:secret"),
        ("bob", b"bob:"),
        ("bob:", b"bob:"),
        (":secret", b":secret"),
        ("bob%40shop.example:a%3Ab:c", b"bob@shop.example:a:b:c"),
        ("Боб:пароль", "Боб:пароль".encode()),
    ],
)
def test_name_and_password_become_basic(userinfo, login):
    link = read_link(f"https://{userinfo}@shop.example/")
    assert link.host == "shop.example"
    assert b64decode(link.login.removeprefix("Basic ")) == login


def test_the_look_of_a_link_has_no_secret():
    link = read_link("https://bob:secret@shop.example:8443/capability/x?token=secret")
    assert repr(link) == str(link) == "Link(https://shop.example:8443/…)"


@pytest.mark.parametrize(
    ("location", "host", "port", "target"),
    [
        ("b.csv", "shop.example", 443, "/a/b.csv"),
        ("/b", "shop.example", 443, "/b"),
        ("?p=2", "shop.example", 443, "/a/list?p=2"),
        ("//other.example/c", "other.example", 443, "/c"),
        ("https://other.example:444/c d", "other.example", 444, "/c%20d"),
        ("/ф", "shop.example", 443, "/%D1%84"),
    ],
)
def test_a_redirect_is_read_against_the_link(location, host, port, target):
    to = follow(read_link("https://shop.example/a/list?x=1"), location)
    assert (to.host, to.port, to.target) == (host, port, target)


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/b", True),
        ("https://shop.example:443/b", True),
        ("https://SHOP.example./b", True),
        ("https://eve:x@shop.example/b", True),
        ("https://shop.example:444/b", False),
        ("https://www.shop.example/b", False),
        ("https://eve:x@other.example/b", False),
    ],
)
def test_credentials_stay_on_their_origin(location, sent):
    link = read_link("https://bob:secret@shop.example/a")
    assert follow(link, location).login == (link.login if sent else None)


def test_credentials_are_dropped_for_https_too_because_it_is_another_port():
    link = read_link("http://bob:secret@shop.example/a")
    assert follow(link, "https://shop.example/a").login is None


@pytest.mark.parametrize(
    "location",
    ["http://shop.example/", "ftp://x/", "//a@b@c/", "\\\\evil", "/a\r\nb", "//[::1", "//0x7f.1/",
     "javascript:1", "//℀.example/"],
)  # fmt: skip
def test_a_redirect_that_cannot_be_followed_is_refused(location):
    with pytest.raises(LinkRefused) as caught:
        follow(read_link("https://shop.example/"), location)
    assert caught.value.message.startswith("The link redirects ")


@given(st.text(alphabet=st.characters(), max_size=40), st.sampled_from(["http://", "https://", ""]))
@example("[::1]:80/\u2028", "http://")
@example("a\u0301.ö-.xn--a", "http://")
def test_any_text_is_read_or_refused_and_reading_again_changes_nothing(text, start):
    try:
        link = read_link(start + text)
    except LinkRefused:
        return
    assert link.target.isascii()
    assert link.target.isprintable()
    assert " " not in link.target
    again = read_link(f"{link.scheme}://{link.authority}{link.target}")
    assert (again.origin, again.target) == (link.origin, link.target)
