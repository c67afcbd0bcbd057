"""What is asked before something goes: its name, what follows, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kartoteka.admin import texts
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request


class Asked(msgspec.Struct, frozen=True):
    """A question with one answer that destroys and one that does not."""

    title: str
    points: Sequence[tuple[str, str]]
    """(icon, what follows)."""
    button: str
    action: str
    """Where the form goes to."""
    fields: Mapping[str, str]
    back: str


def ask(
    request: Request,
    section: str,
    name: str,
    *,
    points: Sequence[tuple[str, str]],
    action: str,
    back: str,
    fields: Mapping[str, str] | None = None,
) -> Reply:
    """The question whose words are in that section of the texts; `points` are (icon, key)."""
    asked = Asked(
        title=str(texts.text(f"{section}.delete_title", name=name)),
        points=[(icon, str(texts.text(f"{section}.{key}"))) for icon, key in points],
        button=str(texts.text(f"{section}.delete")),
        action=action,
        fields=fields or {},
        back=back,
    )
    return request.render("settings_ask.html", asked=asked)
