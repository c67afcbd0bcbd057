"""Names, language, time zone, address and contact key: texts that stand on the card."""

from __future__ import annotations

from kartoteka.segments.conditions.base import column, of_column

CONDITIONS = (
    of_column(
        "firstName",
        "Fields",
        column("First name", "first_name"),
        {"operator": "one_of", "value": ["Olena", "Олена"]},
    ),
    of_column("lastName", "Fields", column("Last name", "last_name"), {"operator": "is_set"}),
    of_column(
        "languageCode",
        "Fields",
        column("Language", "language_code"),
        {"operator": "starts_with", "value": "uk"},
    ),
    of_column(
        "timeZone",
        "Fields",
        column("Time zone", "time_zone"),
        {"operator": "equals", "value": "Europe/Kyiv"},
    ),
    of_column("contactKey", "Fields", column("Contact key", "contact_key"), {"operator": "is_set"}),
    of_column(
        "region",
        "Location",
        column("Region", "region"),
        {"operator": "one_of", "value": ["Kyiv", "Lviv"]},
    ),
    of_column("town", "Location", column("Town", "town"), {"operator": "equals", "value": "Kyiv"}),
    of_column("address", "Location", column("Address", "address"), {"operator": "is_set"}),
    of_column(
        "postcode",
        "Location",
        column("Postcode", "postcode"),
        {"operator": "starts_with", "value": "79"},
    ),
)
