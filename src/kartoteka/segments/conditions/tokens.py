"""Whether the contact has a device, a token of an app or browser, or a cookie (guide G2)."""

from __future__ import annotations

from kartoteka.identity.kinds import DEVICE, MOBILE_TOKEN, TELEGRAM_TOKEN, WEB_COOKIE, WEB_TOKEN
from kartoteka.identity.kinds.base import IdentifierKind
from kartoteka.segments.conditions.base import (
    Condition,
    Parameter,
    Place,
    Source,
    Sql,
    Subject,
    ValueType,
)

_APP = Parameter("app", "Only tokens of this application id; left out: of any.")


def _source(kind: IdentifierKind, label: str, app: str | None) -> Source:
    def read(who: Subject) -> bool | None:
        has = any(code == kind.code and app in (None, of) for code, of in who.identifiers)
        return True if has else None

    def to_sql(sql: Sql) -> str:
        of_app = "" if app is None else f" and i.app = {sql.param(app, 'text')}"
        return (
            f"(select true from identifier i where i.account_id = {sql.account} "
            f"and i.contact_id = c.contact_id and i.kind = {kind.code}{of_app} limit 1)"
        )

    return Source(
        label if app is None else f"{label} of app {app}",
        ValueType.FLAG,
        frozenset((f"identifier:{kind.code}",)),
        read,
        to_sql,
        members={} if app is None else {"app": app},
    )


def _condition(key: str, kind: IdentifierKind, label: str, *, of_apps: bool) -> Condition:
    def source(place: Place) -> Source:
        app = place.text("app") if place.value.get("app") is not None else None
        return _source(kind, label, app)

    return Condition(
        key,
        label,
        "Channels",
        source,
        ValueType.FLAG,
        (_APP,) if of_apps else (),
        example={"field": key, "operator": "is_set"},
    )


CONDITIONS = (
    _condition("mobilePush", MOBILE_TOKEN, "Mobile token", of_apps=True),
    _condition("webPush", WEB_TOKEN, "Web push token", of_apps=True),
    _condition("telegram", TELEGRAM_TOKEN, "Telegram token", of_apps=True),
    _condition("device", DEVICE, "Device", of_apps=False),
    _condition("webCookie", WEB_COOKIE, "Web cookie", of_apps=False),
)
