"""Templates: every value is escaped, every word comes from the catalogue of texts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from kartoteka import __version__
from kartoteka.access.users import Role
from kartoteka.admin import segment_form, texts
from kartoteka.admin.choices import channel_options, list_options, source_options, value_options
from kartoteka.admin.frame import SETTINGS_MENU, menu, next_theme, said, theme
from kartoteka.admin.static_files import address_of
from kartoteka.admin.words import (
    apart_words,
    contact_link,
    details_words,
    every_words,
    rule_words,
    sentence,
    subject_words,
)
from kartoteka.exports.model import Export, ExportRun
from kartoteka.exports.model import State as ExportState
from kartoteka.identity.kinds import BY_CODE, BY_NAME, IdentifierKind
from kartoteka.imports.model import Import
from kartoteka.imports.preview import PreviewMark, PreviewRow
from kartoteka.segments.conditions import BY_KEY
from kartoteka.segments.model import SegmentType, State, Stored

KIND_ICONS = {
    "external_id": "id-card",
    "email": "mail",
    "phone": "phone",
    "mobile_token": "smartphone",
    "web_token": "bell",
    "telegram_token": "send",
    "device": "tablet-smartphone",
    "web_cookie": "cookie",
}


def icon(name: str, label: str = "") -> Markup:
    """A picture out of the sprite; with a label it speaks, without it is decoration."""
    address = address_of("vendor/lucide.svg")
    if label:
        return Markup(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>'
        ).format(label, address, name)
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        address, name
    )


_STATE_LOOK = {
    "queued": ("", "clock"),
    "running": ("blue", "refresh-cw"),
    "paused": ("amber", "pause"),
    "finished": ("green", "circle-check"),
    "cancelled": ("", "ban"),
    "failed": ("red", "circle-alert"),
}


def import_badge(one: Import) -> Markup:
    """Where an import is, as a badge."""
    colour, picture = _STATE_LOOK[one.state]
    words = texts.text(f"state.{one.state}")
    return Markup('<span class="badge {}">{}{}</span>').format(colour, icon(picture), words)


def run_badge(run: ExportRun) -> Markup:
    """Where a run of an export is."""
    colour, picture = _STATE_LOOK[run.state]
    words = texts.text(f"state.{run.state}")
    return Markup('<span class="badge {}">{}{}</span>').format(colour, icon(picture), words)


def export_badge(one: Export, run: ExportRun | None) -> Markup:
    """The health of an export."""
    if one.state == ExportState.PAUSED:
        word, colour, picture = "paused", "amber", "pause"
    elif one.failures or (run is not None and run.state == "failed"):
        word, colour, picture = "failing", "red", "circle-alert"
    else:
        word, colour, picture = "ok", "green", "circle-check"
    words = texts.text(f"exports.{word}")
    return Markup('<span class="badge {}">{}{}</span>').format(colour, icon(picture), words)


def segment_badge(one: Stored) -> Markup:
    """What kind of segment it is, and whether it is ready."""
    if one.leaving is not None:
        word, colour = "deleting", "red"
    elif one.state in (State.FILLING, State.SETTLING):
        word, colour = ("filling" if one.version_id is None else "refilling"), "amber"
    elif one.type is SegmentType.STATIC:
        word, colour = "list", ""
    else:
        word, colour = one.type.value.lower(), "accent"
    picture = icon("list" if one.type is SegmentType.STATIC else "filter")
    words = texts.text(f"segments.{word}")
    return Markup('<span class="badge {}">{}{}</span>').format(colour, picture, words)


def marks_of(row: PreviewRow) -> dict[int, PreviewMark]:
    """The coloured cells of a row, by column."""
    return {mark.column: mark for mark in row.marks}


def number(value: float | None) -> str:
    """With separators: 12,480."""
    return "" if value is None else f"{value:,}"


def amount(value: object) -> str:
    """Money as events and orders say it: 1,234.50; what is no number stays as it is."""
    try:
        return f"{float(str(value)):,.2f}"
    except ValueError:
        return str(value)


def size(value: int) -> str:
    """Bytes for people: 1.4 MB."""
    amount = float(value)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


@pass_context
def when(context: Context, at: datetime | None, style: str = "relative") -> Markup:
    """A time: in UTC as it stands, in the viewer's zone and words where the script runs."""
    if at is None:
        return Markup("")
    at = at.astimezone(UTC)
    exact = f"{at:%Y-%m-%d %H:%M} UTC"
    shown = exact if style != "relative" else _ago(at, context["request"].at) or exact
    return Markup('<time datetime="{}" data-style="{}" title="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), style, exact, shown
    )


def _ago(at: datetime, now: datetime) -> str:
    seconds = (now - at).total_seconds()
    if seconds < 0:
        return ""
    if seconds < 60:
        return str(texts.text("time.now"))
    for key, length, most in (("minutes", 60, 60), ("hours", 3600, 24), ("days", 86_400, 14)):
        if seconds < length * most:
            return str(texts.text(f"time.{key}", n=int(seconds // length)))
    return ""


def query(**values: Any) -> str:
    """A query string without what is blank."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def kind_of(kind: int | str) -> IdentifierKind:
    """The kind of identifier by its code or name."""
    return BY_CODE[kind] if isinstance(kind, int) else BY_NAME[kind]


def label_of_kind(name: str) -> str:
    """What people call the kind; `matched_by` may also name a field that is no identifier."""
    return BY_NAME[name].label if name in BY_NAME else name.replace("_", " ")


def duration(seconds: int | None) -> str:
    """How long: 3 min 20 s."""
    if seconds is None:
        return ""
    if seconds < 60:
        return str(texts.text("time.seconds", n=seconds))
    if seconds < 3600:
        return str(texts.text("time.minutes_long", n=seconds // 60, seconds=seconds % 60))
    return str(texts.text("time.hours_long", n=seconds // 3600, minutes=seconds % 3600 // 60))


@cache
def environment() -> Environment:
    """The templates of this package."""
    made = Environment(
        loader=PackageLoader("kartoteka.admin", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        t=texts.text,
        has_text=texts.has,
        icon=icon,
        asset=address_of,
        query_string=query,
        kind_of=kind_of,
        KIND_ICONS=KIND_ICONS,
        version=__version__,
        when=when,
        rule_words=rule_words,
        every_words=every_words,
        sentence=sentence,
        apart_words=apart_words,
        contact_link=contact_link,
        subject_words=subject_words,
        details_words=details_words,
        menu=menu,
        theme=theme,
        next_theme=next_theme,
        said=said,
        channel_options=channel_options,
        source_options=source_options,
        list_options=list_options,
        value_options=value_options,
        import_badge=import_badge,
        run_badge=run_badge,
        export_badge=export_badge,
        marks_of=marks_of,
        segment_badge=segment_badge,
        is_group=lambda node: isinstance(node, segment_form.Group),
        takes_of=segment_form.takes_of,
        type_of=segment_form.type_of,
        choices_of=segment_form.choices_of,
        operators_of=segment_form.operators_of,
        label_of_leaf=segment_form.label_of_leaf,
        parameters_of=lambda leaf: BY_KEY[leaf.field].parameters,
        label_of_kind=label_of_kind,
        settings_menu=SETTINGS_MENU,
        OWNER=Role.OWNER,
        MARKETER=Role.MARKETER,
        READER=Role.READER,
    )
    made.filters.update(number=number, amount=amount, size=size, duration=duration)
    return made


def render(template: str, **values: Any) -> str:
    """The text of that template."""
    return environment().get_template(template).render(values)
