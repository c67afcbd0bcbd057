"""Settings of an account that only the identifier kinds can judge."""

from __future__ import annotations

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.setting_values import InvalidSetting
from kartoteka.identity.kinds import Region
from kartoteka.identity.kinds.phone import is_region
from kartoteka.identity.never import parse_never_identifiers


def check_settings(settings: AccountSettings) -> None:
    """Nothing, if phones can be read in the region and every never-identifier is one.

    Raises `InvalidSetting` or `InvalidNeverIdentifier`; goes to `Accounts.change_settings`.
    """
    if not is_region(settings.region):
        raise InvalidSetting(
            f"region must be a country with phone numbers of its own, such as UA or PL; "
            f"{settings.region} is none."
        )
    parse_never_identifiers(settings.never_identifiers, Region(settings.region))
