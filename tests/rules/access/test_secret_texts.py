"""Keys out of Authorization headers, as real clients spell them; hashes of passwords."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.access.passwords import hash_password, is_password
from kartoteka.access.secret_texts import basic_password, make_key, shown_part


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "user", [b"", b"user", b"anyvalue", b"username", "Алиса".encode(), b"\xff"]
)
def test_the_user_name_is_ignored(user: bytes) -> None:
    assert basic_password(encoded(user + b":kk_key")) == b"kk_key"


@pytest.mark.parametrize(
    ("credentials", "password"),
    [
        (encoded(b":kk_key\n"), b"kk_key"),
        (encoded(b":kk_key").rstrip("="), b"kk_key"),
        (f"  {encoded(b':kk_key')} ", b"kk_key"),
        (encoded(b"user:with:colon"), b"with:colon"),
        (encoded(b"no colon"), None),
        (encoded(b"user:"), None),
        (encoded(b":   "), None),
        (encoded(b":" + b"k" * 1_025), None),
        ("", None),
        ("%%%", None),
        ("a", None),
        ("ключ", None),
        ("OmtrX2tleQ==\x00", None),
    ],
)
def test_credentials_are_read_or_refused(credentials: str, password: bytes | None) -> None:
    assert basic_password(credentials) == password


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    password = basic_password(text)
    assert password is None or password == password.strip() != b""


def test_a_key_has_more_than_160_random_bits_and_needs_no_quoting() -> None:
    key = make_key()
    assert len(key) == 3 + 32
    assert key.replace("_", "").replace("-", "").isalnum()
    assert make_key() != key


def test_a_list_shows_little_of_a_key_and_nothing_of_a_short_one() -> None:
    assert shown_part("kk_abcdefghijklmnopqrstuvwxyz") == "kk_abc"
    assert shown_part("secret") == ""


def test_only_the_password_itself_fits_its_hash() -> None:
    stored = hash_password("Alice's password")
    assert is_password("Alice's password", stored)
    assert not is_password("alice's password", stored)
    assert "Alice" not in stored


def test_the_same_password_is_hashed_differently_each_time() -> None:
    assert hash_password("x") != hash_password("x")


@pytest.mark.parametrize(
    "stored", ["", "scrypt", "plain$1$2$3$eA==$eA==", "scrypt$a$8$1$eA==$eA=="]
)
def test_a_damaged_hash_fits_no_password(stored: str) -> None:
    assert not is_password("x", stored)
