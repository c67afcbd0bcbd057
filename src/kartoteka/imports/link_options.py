"""POST /api/v1/contacts/upload: a file behind a link, with headings that are fixed (wire 3.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kartoteka.imports.fields import Definitions, custom_name
from kartoteka.imports.members import (
    InvalidOptions,
    read_event_key,
    read_flag,
    read_groups,
    read_word,
)
from kartoteka.imports.options import AskedOptions, FileOptions, settle_options

LINK_COLUMNS: dict[str, str | None] = {
    "First name": "firstName",
    "Last name": "lastName",
    "Address": "address",
    "Region": "region",
    "City": "town",
    "Postcode": "postcode",
    "Email": "email",
    "SMS": "sms",
    "Language code": "languageCode",
    "Timezone": "timeZone",
    "Contact ID": "id",
    "Additional info": None,
}
"""Field by heading; `Additional info` is known and has no place on a card."""
LINK_UNIQUES = ("email", "sms", "email_or_sms", "id")

_BY_HEADING = {heading.casefold(): name for heading, name in LINK_COLUMNS.items()}


def read_link_options(body: Mapping[str, Any]) -> AskedOptions:
    """The options in the body, before the file is fetched. Raises `InvalidOptions`."""
    unique = (read_word(body, "dedupeOn") or "").lower()
    if unique not in LINK_UNIQUES:
        raise InvalidOptions("dedupeOn", f"dedupeOn must be one of {', '.join(LINK_UNIQUES)}.")
    return AskedOptions(
        unique=unique,
        guess=False,
        restore_deleted=read_flag(body, "restoreDeleted"),
        group_names=read_groups(body, "groupNames"),
        group_names_exclude=read_groups(body, "groupNamesExclude"),
        event_key_for_new_contacts=read_event_key(body),
        encoding="utf-8",
        delimiter=",",
    )


def link_options(
    body: Mapping[str, Any], first_record: Sequence[str], definitions: Definitions
) -> FileOptions:
    """How the file's rows are read: the columns of wire 3.11 and `LIST.FIELD`, in any case.

    Others are left out; of two with one heading the first counts. Raises `InvalidOptions`.
    """
    asked = read_link_options(body)
    names = dict(_BY_HEADING)
    for one in definitions.values():
        if not one.readonly:
            names[one.path.casefold()] = custom_name(one)
    columns: list[str | None] = []
    for heading in first_record:
        name = names.get(heading.strip().casefold())
        columns.append(None if name in columns else name)
    return settle_options(msgspec.structs.replace(asked, map=columns), first_record, definitions)
