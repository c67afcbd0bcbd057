"""`/docs`: the table of routes as one page for reading, without scripts or anything from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from importlib import resources

from kartoteka import __version__
from kartoteka.api.openapi import condition, error_statuses, right_text
from kartoteka.api.routing import Route, Schema
from kartoteka.api.schemas import COMPONENTS

_STYLE = resources.files(__package__).joinpath("docs_page.css").read_text("utf-8")

_WORD = re.compile("`([^`]+)`")

_INTRODUCTION = """
<p>HTTP Basic: any user name, also none; the password is the API key. Bodies are JSON in UTF-8, gzip
is taken. Every path works with and without a trailing slash. Every error is JSON with
<code>status</code>, <code>message</code> and a stable <code>code</code>. The same as OpenAPI 3.1:
<a href="/openapi.json">/openapi.json</a>.</p>
"""


def render(routes: Sequence[Route]) -> str:
    """The page."""
    tags = dict.fromkeys(route.tag for route in routes)
    groups = {tag: [one for one in routes if one.tag == tag] for tag in tags}
    menu = "".join(_menu(tag, found) for tag, found in groups.items())
    main = "".join(_group(tag, found) for tag, found in groups.items())
    schemas = "".join(_schema(name, schema) for name, schema in COMPONENTS.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Kartoteka API {__version__}</title><style>{_STYLE}</style></head><body>"
        f'<div class="frame"><nav aria-label="Methods"><div><div class="brand">Kartoteka API</div>'
        f"{menu}</div></nav><main><h1>Kartoteka API {__version__}</h1>{_INTRODUCTION}{main}"
        f"<h2>Schemas</h2>{schemas}</main></div></body></html>"
    )


def _menu(tag: str, routes: Sequence[Route]) -> str:
    links = "".join(
        f'<li><a{_mark(one)} href="#{escape(one.operation)}"><span class="{one.method.lower()}">'
        f"{one.method}</span>{escape(one.path)}</a></li>"
        for one in routes
    )
    return f"<h2>{escape(tag)}</h2><ul>{links}</ul>"


def _mark(route: Route) -> str:
    """Methods that answer 501 are shown as such in the menu."""
    return ' class="later" title="not served: answers 501"' if 501 in error_statuses(route) else ""


def _group(tag: str, routes: Sequence[Route]) -> str:
    return f"<h2>{escape(tag)}</h2>" + "".join(_route(one) for one in routes)


def _route(route: Route) -> str:
    verb = f'<span class="method {route.method.lower()}">{route.method}</span>'
    return (
        f'<section id="{escape(route.operation)}"><h3>{verb} <code>{escape(route.path)}</code></h3>'
        f"<p><b>{escape(route.summary)}.</b> {_code(route.description)} {escape(right_text(route))}</p>"
        f"{_parameters(route)}{_body(route.form, 'Form')}{_body(route.body)}{_answers(route)}</section>"
    )


def _code(text: str) -> str:
    """Text with its `words` set as code."""
    return _WORD.sub(r"<code>\1</code>", escape(text))


def _parameters(route: Route) -> str:
    if not route.parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one.name)}</code></td><td>{one.place}"
        f"{', required' if one.required else ''}</td><td>{_code(one.description)}</td></tr>"
        for one in route.parameters
    )
    head = "<tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>"
    return f'<h4>Parameters</h4><div class="table"><table>{head}{rows}</table></div>'


def _body(schema: Schema | None, title: str = "Body") -> str:
    if schema is None:
        return ""
    return f"<details><summary>{title}</summary>{_json(schema)}</details>"


def _answers(route: Route) -> str:
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(reply.description)}</td></tr>"
        for status, reply in sorted(route.replies.items())
    ) + "".join(
        f"<tr><td>{status}</td><td>{escape(condition(status))}</td></tr>"
        for status in sorted(error_statuses(route))
        if status not in route.replies
    )
    return f'<h4>Answers</h4><div class="table"><table>{rows}</table></div>'


def _schema(name: str, schema: Schema) -> str:
    return f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3>{_json(schema)}</section>'


def _json(schema: Schema) -> str:
    return f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
