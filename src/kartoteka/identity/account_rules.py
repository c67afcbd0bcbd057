"""The identity settings of an account, as the rules read them."""

from __future__ import annotations

from functools import lru_cache

from kartoteka.access.account_settings import AccountSettings
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Settings
from kartoteka.identity.never import parse_never_identifiers


@lru_cache(maxsize=256)
def rules_of(settings: AccountSettings) -> Settings:
    """Absorbing, phones, former IDs and never-identifiers out of all settings (decisions D6, D10a,
    D11, D13). The settings were checked when they were stored."""
    never = None
    if settings.never_identifiers:
        never = parse_never_identifiers(settings.never_identifiers, Region(settings.region))
    return Settings(
        settings.absorb,
        settings.phone_is_personal,
        settings.keep_former_ids,
        never,
        settings.visits_per_cookie,
        currency=settings.currency,
        time_zone=settings.time_zone,
    )
