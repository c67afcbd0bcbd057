"""The identity history in words: what happened, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kartoteka.admin import texts
from kartoteka.contacts.identity_reads import HistoryRow
from kartoteka.exports.asked import interval_text
from kartoteka.identity.kinds import BY_NAME

_BY_KIND = ("found_by_", "external_id_joins_", "restored_by_")


def rule_words(rule: str, action: str = "") -> Markup:
    """Why: the rule that decided, in a sentence; of some rules one for each side of what happened."""
    if action and texts.has(f"rule.{rule}_{action}"):
        return texts.text(f"rule.{rule}_{action}")
    if texts.has(f"rule.{rule}"):
        return texts.text(f"rule.{rule}")
    for prefix in _BY_KIND:
        kind = BY_NAME.get(rule.removeprefix(prefix))
        if rule.startswith(prefix) and kind is not None:
            return texts.text(f"rule.{prefix}kind", kind=kind.label)
    return Markup("{}").format(rule)


def every_words(interval_s: int) -> Markup:
    """How often: every 15 minutes, every day."""
    interval = interval_text(interval_s)
    return texts.text(f"exports.every_{interval[-1]}", n=int(interval[:-1]))


def sentence(
    row: HistoryRow, me: int | None = None, names: Mapping[int, str] | None = None
) -> Markup:
    """What happened, as seen from card `me` (None: from nowhere in particular)."""
    who = contact_link(row.contact_id, names)
    other = contact_link(row.other_contact_id, names)
    what = identifiers_words(row.identifiers or [])
    key = f"did.{row.action}"
    if me is not None and row.other_contact_id == me and texts.has(f"{key}_away"):
        key = f"{key}_away"
    if not texts.has(key):
        return Markup("{} {}").format(row.action, who)
    return texts.text(key, who=who, other=other, what=what)


def contact_link(contact_id: int | None, names: Mapping[int, str] | None = None) -> Markup:
    """`#88`, or the name where it is known, leading to the card."""
    if not contact_id:
        return Markup("–")
    if names and contact_id in names:
        return Markup('<a href="/admin/contacts/{0}" title="#{0}"><bdi>{1}</bdi></a>').format(
            contact_id, names[contact_id]
        )
    return Markup('<a class="num" href="/admin/contacts/{0}">#{0}</a>').format(contact_id)


def identifiers_words(identifiers: list[dict[str, Any]]) -> str:
    """`e-mail and phone`: kinds only, the values stand beside."""
    labels = list(
        dict.fromkeys(BY_NAME[one["kind"]].label for one in identifiers if one["kind"] in BY_NAME)
    )
    if not labels:
        return str(texts.text("did.identifiers"))
    if len(labels) == 1:
        return labels[0]
    return f"{', '.join(labels[:-1])} {texts.text('did.and')} {labels[-1]}"


_SUBJECTS = (
    (("contact_", "consent_"), "/admin/contacts/{}"),
    (("import_",), "/admin/imports/{}"),
    (("segment_", "attached", "detached", "exported"), "/admin/segments/{}"),
    (("export_",), "/admin/exports/{}"),
    (("field_",), "/admin/settings/fields/{}"),
    (("webhook_",), "/admin/settings/webhooks/{}"),
    (("user_",), "/admin/settings/users/{}"),
)
"""Where the number in a line of the audit log leads, by the beginning of what was done."""


def subject_words(action: str, subject: str, logins: Mapping[str, str]) -> Markup:
    """What an action of the audit log was about; a link where its page is still there."""
    if not subject.isdecimal():
        return Markup("<bdi>{}</bdi>").format(subject)
    shown = f"#{subject}"
    if action.startswith("user_"):
        shown = logins.get(subject, shown)
    isolated = Markup("<bdi>{}</bdi>").format(shown)
    is_gone = action.endswith(("_deleted", "_delete")) or (
        action.startswith("user_") and subject not in logins
    )
    for begin, path in _SUBJECTS:
        if action.startswith(begin) and not is_gone:
            return Markup('<a href="{}">{}</a>').format(path.format(subject), isolated)
    return isolated


def details_words(details: Mapping[str, Any]) -> str:
    """What an action of the audit log said besides: `role: marketer; dry run`."""
    said = []
    for name, value in details.items():
        label = texts.text(f"audit_detail.{name}") if texts.has(f"audit_detail.{name}") else name
        if value is True:
            said.append(str(label))
        elif value is not False:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            said.append(f"{label}: {shown}")
    return "; ".join(said)


def apart_words(rule: str) -> str:
    """Why two cards were kept apart, in words."""
    if texts.has(f"apart.{rule}"):
        return str(texts.text(f"apart.{rule}"))
    return rule.replace("_", " ")
