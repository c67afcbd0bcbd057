"""Settings of an account that take more than a pattern to judge."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.setting_values import InvalidSetting
from kartoteka.identity.kinds import Region
from kartoteka.identity.kinds.phone import is_region
from kartoteka.identity.never import parse_never_identifiers


def check_settings(settings: AccountSettings) -> None:
    """Nothing, if phones can be read in the region, the zone exists and never-identifiers are some.

    Raises `InvalidSetting` or `InvalidNeverIdentifier`; goes to `Accounts.change_settings`.
    """
    if not is_region(settings.region):
        raise InvalidSetting(
            f"region must be a country with phone numbers of its own, such as UA or PL; "
            f"{settings.region} is none."
        )
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSetting(
            "time_zone must be a name in the TZ database, such as Europe/Kyiv."
        ) from None
    parse_never_identifiers(settings.never_identifiers, Region(settings.region))
