"""The fields that can name contacts in a bulk call or file, a line each (guide G13, decisions D7)."""

from __future__ import annotations

import msgspec

from kartoteka.identity.kinds import (
    DEVICE,
    EMAIL,
    MOBILE_TOKEN,
    PHONE,
    TELEGRAM_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
    IdentifierKind,
)


class UniqueField(msgspec.Struct, frozen=True):
    """`kinds`: the identifiers it is looked up by, in order; none for `id`, contact key and fields."""

    name: str
    label: str
    kinds: tuple[IdentifierKind, ...] = ()
    aliases: tuple[str, ...] = ()


UNIQUES: dict[str, UniqueField] = {
    one.name: one
    for one in (
        UniqueField("externalCustomerId", "External ID", aliases=("external_id", "extid")),
        UniqueField("email", "E-mail", (EMAIL,), ("e-mail",)),
        UniqueField("sms", "Phone", (PHONE,), ("phone", "viber")),
        UniqueField("email_or_sms", "Phone, else e-mail", (PHONE, EMAIL), ("email_or_phone",)),
        UniqueField("push", "Mobile push token", (MOBILE_TOKEN,), ("mobilepush", "mobile_token")),
        UniqueField("webpush", "Web push token", (WEB_TOKEN,), ("web_token",)),
        UniqueField("telegram", "Telegram token", (TELEGRAM_TOKEN,), ("telegram_token",)),
        UniqueField("deviceId", "Device", (DEVICE,), ("device",)),
        UniqueField("webId", "Web cookie", (WEB_COOKIE,), ("web_cookie",)),
        UniqueField("id", "Contact ID", aliases=("contactId",)),
        UniqueField("contactKey", "Contact key", aliases=("contact_key",)),
        UniqueField("fieldId", "Custom field"),
    )
}
"""By the word of `dedupeOn` (wire 3.9) or the option `unique` of a file."""

_BY_WORD = {word.lower(): one for one in UNIQUES.values() for word in (one.name, *one.aliases)}


def unique_field(word: str) -> UniqueField | None:
    """The field that a word names, in any case; None if it names none (a custom field's key may)."""
    return _BY_WORD.get(word.strip().lower())
