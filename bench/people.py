"""The people of the benchmark: all of them follow from their number, here and in SQL alike."""

from __future__ import annotations

from bench.jobs.base import Stint

MOST = 9_999_999
"""Seven digits: more would not be phone numbers of that operator."""
LAST_NAME = "Koval"


def external_id(number: int) -> str:
    return f"crm-{number:07}"


def email(number: int) -> str:
    return f"person{number:07}@example.com"


def phone(number: int) -> str:
    return f"38050{number:07}"


def post_contact(stint: Stint, number: int, first_name: str) -> bytes:
    """`POST /api/v1/contact` with External ID, e-mail, phone and both names."""
    if number > MOST:
        raise ValueError(f"there are no more than {MOST} people")
    body = (
        f'{{"externalCustomerId":"{external_id(number)}","firstName":"{first_name}",'
        f'"lastName":"{LAST_NAME}","channels":[{{"type":"email","value":"{email(number)}"}},'
        f'{{"type":"sms","value":"{phone(number)}"}}]}}'
    )
    return (
        f"POST /api/v1/contact HTTP/1.1\r\nHost: {stint.host}\r\n"
        f"Authorization: {stint.authorization}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def get(stint: Stint, path: str) -> bytes:
    """A GET of that path."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {stint.host}\r\nAuthorization: {stint.authorization}\r\n\r\n"
    ).encode()
