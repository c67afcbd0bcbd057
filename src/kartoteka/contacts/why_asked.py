"""What a question `why` is about: the words of the wire beside our own, values as people write them."""

from __future__ import annotations

from collections.abc import Iterable

from kartoteka.contacts.clearing import FIELD_PREFIX
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.kinds import BY_NAME, InvalidIdentifier, Region

AS_ON_THE_WIRE = {
    "externalCustomerId": "external_id",
    "externalUserId": "external_id",
    "sms": "phone",
    "viber": "phone",
    "mobilepush": "mobile_token",
    "webpush": "web_token",
    "deviceId": "device",
    "webId": "web_cookie",
}


def asked(
    kind: str, value: str | None, fields: Iterable[FieldDefinition], region: Region
) -> tuple[str, str | None]:
    """(kind, value) as `why` knows them: an e-mail in lower case, a phone in digits (D4), a custom field
    by its number. What cannot be read so stays as it was: it stands on no contact."""
    kind = AS_ON_THE_WIRE.get(kind, kind)
    for one in fields:
        if kind.casefold() == f"{one.list_key}.{one.key}".casefold():
            return f"{FIELD_PREFIX}{one.id}", value
    known = BY_NAME.get(kind)
    if known is None or value is None:
        return kind, value
    try:
        return kind, known.normalise(value, region)
    except InvalidIdentifier:
        return kind, value
