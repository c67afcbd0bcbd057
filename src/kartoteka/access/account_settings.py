"""The settings of an account: every *(setting)* of the decisions, declared once.

The API, the command line, the docs table and the checks all read this class.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class About(msgspec.Struct, frozen=True):
    """What the docs say about a setting, and the values it takes beyond its type."""

    meaning: str
    consequence: str
    """What changes for the account when it is set otherwise."""
    source: str
    pattern: str | None = None
    """A regular expression for the whole text."""
    allowed: str | None = None
    """The values that pattern or limits stand for, in words."""
    least: int | None = None
    most: int | None = None


class AccountSettings(msgspec.Struct, frozen=True):
    """How one account wants Kartoteka to decide."""

    region: Annotated[
        str,
        About(
            meaning="The country whose phone numbers are written without an international prefix.",
            consequence="The same digits may be read as another number; stored numbers stay.",
            source="decisions D4",
            pattern=r"[A-Z]{2}",
            allowed="two capital letters of ISO 3166-1, such as UA or PL",
        ),
    ] = "UA"
    never_identifiers: Annotated[
        tuple[str, ...],
        About(
            meaning="E-mail addresses, mail domains and phones of yours that stand for nobody.",
            consequence="They stay on a card as a channel, but find nobody and absorb nobody.",
            source="decisions D6",
            allowed="addresses, domains and phones, separated by commas",
        ),
    ] = ()
    phone_is_personal: Annotated[
        bool,
        About(
            meaning="A phone belongs to one person, like an External ID of its own.",
            consequence="On: a contact found by phone alone is taken if it has no External ID, "
            "whatever its e-mail and name. Families that share a phone share a card.",
            source="decisions D10a",
        ),
    ] = False
    keep_former_ids: Annotated[
        bool,
        About(
            meaning="An External ID that is replaced goes on finding the contact.",
            consequence="Off: a replaced External ID is free at once and may come to another card.",
            source="decisions D11",
        ),
    ] = True
    absorb: Annotated[
        Literal["contained", "anonymous", "never"],
        About(
            meaning="Which contact that shares an identifier with the request's own is absorbed.",
            consequence="contained: one that says nothing the contact contradicts. anonymous: only "
            "one without External ID, e-mail and phone. never: none, duplicates stay.",
            source="decisions D13",
        ),
    ] = "contained"
    currency: Annotated[
        str,
        About(
            meaning="The currency of an order that names none.",
            consequence="Sums of such orders are read in another currency; stored orders stay.",
            source="decisions D18",
            pattern=r"[A-Z]{3}",
            allowed="three capital letters of ISO 4217, such as UAH or EUR",
        ),
    ] = "UAH"
    time_zone: Annotated[
        str,
        About(
            meaning="The time zone of dates without an offset, where the contact's is not known.",
            consequence="Such dates are read as another moment; stored ones stay. Days of segments "
            "begin at another moment: they are filled anew.",
            source="wire X12",
            pattern=r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*",
            allowed="a name in the TZ database, such as Europe/Kyiv",
        ),
    ] = "UTC"
    rate_limits: Annotated[
        bool,
        About(
            meaning="Calls with a key are limited to so many a second for each method.",
            consequence="On: calls above the original's limits are answered 429 with Retry-After.",
            source="decisions D21, wire 1.6",
        ),
    ] = False
    disable_unused_keys: Annotated[
        bool,
        About(
            meaning="A key that was not used for 90 days is disabled.",
            consequence="On: such a key answers 401 until it is enabled again.",
            source="decisions D21, wire 1.2",
        ),
    ] = False
    refuse_repeats: Annotated[
        bool,
        About(
            meaning="The same write again within a minute is refused.",
            consequence="On: 409 Duplicated request, like the original. Off: it changes nothing.",
            source="decisions D22, wire 1.5",
        ),
    ] = False
    signed_claims: Annotated[
        bool,
        About(
            meaning="A web page or app that says who its visitor is must prove it.",
            consequence="On: a claim without the HMAC-SHA-256 of its External ID is ignored.",
            source="decisions D36",
        ),
    ] = False
    allow_server_key_in_browser: Annotated[
        bool,
        About(
            meaning="Segment-style calls with an Origin header may carry a server or write key.",
            consequence="On: whoever reads the page's source can write contacts with that key.",
            source="decisions D36",
        ),
    ] = False
    visits_per_cookie: Annotated[
        int,
        About(
            meaning="How many visits of one visitor are kept while nobody knows who it is.",
            consequence="Later visits of that cookie are counted and dropped until it is claimed.",
            source="decisions D37",
            allowed="0 to 1000000",
            least=0,
            most=1_000_000,
        ),
    ] = 10_000
    respect_do_not_track: Annotated[
        bool,
        About(
            meaning="The tracker keeps silent where the browser says Do Not Track or Global "
            "Privacy Control.",
            consequence="Off: such visitors are recorded like all others.",
            source="the website",
        ),
    ] = True
    event_mapping: Annotated[
        tuple[str, ...],
        About(
            meaning="Parameters of your events that name the contact, beside those that always do.",
            consequence="An event that has no other such parameter is attached by these.",
            source="wire 6.3, 11.4",
            pattern=r"\s*[^=]{1,100}=\s*(contactId|externalCustomerId|email|phone|pushToken|"
            r"mobPushToken|webPushToken|telegramBotToken|deviceId|webId)\s*",
            allowed="PARAMETER=FIELD, separated by commas; fields are contactId, "
            "externalCustomerId, email, phone, pushToken, mobPushToken, webPushToken, "
            "telegramBotToken, deviceId, webId",
        ),
    ] = ()
    delete_past_events: Annotated[
        bool,
        About(
            meaning="DELETE /api/v1/past_events deletes what was sent as past events.",
            consequence="Off: the call is refused and deletes nothing, like the original.",
            source="wire 6.4",
        ),
    ] = False
    event_retention_months: Annotated[
        int,
        About(
            meaning="How long events and visits are kept after they happened; 0 is for ever.",
            consequence="Older ones are deleted every night; orders and totals stay.",
            source="events",
            allowed="0 to 1200 months",
            least=0,
            most=1200,
        ),
    ] = 0
    anonymous_retention_months: Annotated[
        int,
        About(
            meaning="How long events and visits are kept that belong to no contact.",
            consequence="Older ones are deleted every night: who becomes known later has none.",
            source="decisions D37",
            allowed="1 to 1200 months",
            least=1,
            most=1200,
        ),
    ] = 13
