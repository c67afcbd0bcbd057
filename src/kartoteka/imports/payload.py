"""The rows of a bulk call while they wait for their turn."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kartoteka.contacts.model import ContactInput, ImportRow, RowRules
from kartoteka.identity.model import Origin
from kartoteka.imports.model import RowFailed


class StoredRow(msgspec.Struct, frozen=True, omit_defaults=True, tag="row"):
    """An `ImportRow` while it waits: what is the same for all rows stands with the import."""

    number: int
    contact: ContactInput
    value: str | None = None
    contact_id: int | None = None
    clear: frozenset[str] = frozenset()


class StoredFailure(msgspec.Struct, frozen=True, tag="failed"):
    """A `RowFailed` while it waits for its line in the statement."""

    failure: RowFailed


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[StoredRow | StoredFailure]).decode


def payload_of(rows: Sequence[ImportRow], failed: Sequence[RowFailed]) -> bytes:
    """Rows and failures by row number, as bytes; `rows_of_payload` reads them."""
    stored: list[StoredRow | StoredFailure] = [
        StoredRow(one.number, one.contact, one.value, one.contact_id, one.clear) for one in rows
    ]
    stored += [StoredFailure(one) for one in failed]
    stored.sort(key=number_of)
    return encode_payload(stored)


def encode_payload(stored: list[StoredRow | StoredFailure]) -> bytes:
    """As they are kept."""
    return _encode(stored)


def decode_payload(body: bytes) -> list[StoredRow | StoredFailure]:
    """What `encode_payload` was given."""
    return _decode(body)


def rows_of_payload(body: bytes, rules: RowRules, origin: Origin) -> list[ImportRow | RowFailed]:
    """The rows of a bulk call as they were taken, in their order."""
    return [
        one.failure
        if isinstance(one, StoredFailure)
        else ImportRow(
            origin=origin,
            number=one.number,
            rules=rules,
            contact=one.contact,
            value=one.value,
            contact_id=one.contact_id,
            clear=one.clear,
        )
        for one in _decode(body)
    ]


def number_of(one: StoredRow | StoredFailure) -> int:
    """The number of the row."""
    return one.number if isinstance(one, StoredRow) else one.failure.number
