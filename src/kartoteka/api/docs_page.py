"""`/docs`: the table of routes as one page for reading, without scripts or anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from kartoteka import __version__
from kartoteka.api.openapi import condition, error_statuses, right_text
from kartoteka.api.routing import Route, Schema
from kartoteka.api.schemas import COMPONENTS

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #8881; border-radius: 6px; overflow: auto; padding: .75rem; }
section { border-top: 1px solid #8886; margin-top: 2rem; }
h3 { margin-bottom: .25rem; overflow-wrap: anywhere; }
.method { border: 1px solid; border-radius: 4px; font-size: 13px; padding: .1rem .4rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8884; padding: .3rem .5rem; text-align: left; vertical-align: top; }
nav ul { columns: 2 20rem; padding-left: 1rem; }
"""

_INTRODUCTION = """
<p>HTTP Basic: any user name, also none; the password is the API key. Bodies are JSON in UTF-8, gzip
is taken. Every path works with and without a trailing slash. Every error is JSON with
<code>status</code>, <code>message</code> and a stable <code>code</code>. The same as OpenAPI 3.1:
<a href="/openapi.json">/openapi.json</a>.</p>
"""


def render(routes: Sequence[Route]) -> str:
    """The page."""
    tags = dict.fromkeys(route.tag for route in routes)
    groups = "".join(_group(tag, [one for one in routes if one.tag == tag]) for tag in tags)
    schemas = "".join(_schema(name, schema) for name, schema in COMPONENTS.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Kartoteka API {__version__}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Kartoteka API {__version__}</h1>{_INTRODUCTION}<nav><ul>{_links(routes)}</ul></nav>"
        f"<main>{groups}<h2>Schemas</h2>{schemas}</main></body></html>"
    )


def _links(routes: Sequence[Route]) -> str:
    return "".join(
        f'<li><a href="#{escape(one.operation)}"><code>{one.method} {escape(one.path)}</code></a></li>'
        for one in routes
    )


def _group(tag: str, routes: Sequence[Route]) -> str:
    return f"<h2>{escape(tag)}</h2>" + "".join(_route(one) for one in routes)


def _route(route: Route) -> str:
    return (
        f'<section id="{escape(route.operation)}"><h3><span class="method">{route.method}</span> '
        f"<code>{escape(route.path)}</code></h3><p><b>{escape(route.summary)}.</b> "
        f"{escape(route.description)} {escape(right_text(route))}</p>"
        f"{_parameters(route)}{_body(route.body)}{_answers(route)}</section>"
    )


def _parameters(route: Route) -> str:
    if not route.parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one.name)}</code></td><td>{one.place}"
        f"{', required' if one.required else ''}</td><td>{escape(one.description)}</td></tr>"
        for one in route.parameters
    )
    return f"<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>{rows}</table>"


def _body(schema: Schema | None) -> str:
    return "" if schema is None else f"<h4>Body</h4>{_json(schema)}"


def _answers(route: Route) -> str:
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(reply.description)}</td></tr>"
        for status, reply in sorted(route.replies.items())
    ) + "".join(
        f"<tr><td>{status}</td><td>{escape(condition(status))}</td></tr>"
        for status in sorted(error_statuses(route))
        if status not in route.replies
    )
    return f"<h4>Answers</h4><table>{rows}</table>"


def _schema(name: str, schema: Schema) -> str:
    return f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3>{_json(schema)}</section>'


def _json(schema: Schema) -> str:
    return f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
