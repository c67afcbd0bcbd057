"""The pages of docs/reference: each a function that reads the code and returns Markdown.

A new page is a function, a line in `PAGES` and a line in the menu (docs/menu.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import click

import kartoteka
from docs.import_page import import_page
from docs.tables import code, table
from kartoteka.access.setting_values import setting_rows
from kartoteka.api.errors import InternalError, status_of
from kartoteka.api.limits import PER_SECOND, SHARED
from kartoteka.api.not_served import nothing
from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route
from kartoteka.cli import kartoteka as command
from kartoteka.errors import KartotekaError, default_message
from kartoteka.identity.history import ACTIONS, RULES
from kartoteka.identity.kinds import BY_CODE, KINDS
from kartoteka.identity.model import Policy
from kartoteka.identity.never import NEVER_IDENTIFIERS
from kartoteka.segments.conditions import CONDITIONS
from kartoteka.segments.conditions.base import Condition
from kartoteka.segments.conditions.operators import MEMBERSHIP, OPERATORS
from kartoteka.settings import settings_table

SERVER_FAULT = 500
SOURCE = Path(kartoteka.__file__).parent


def settings_page() -> str:
    """The settings of a server."""
    return (
        "# Settings of the server\n\nFrom the environment, or from `kartoteka.toml` in the folder "
        "where the server starts (`port = 8080`); the environment wins. A secret may be in a file "
        "that `…_FILE` names. A setting that is not valid or misspelled stops the start with a "
        "sentence that says what to do.\n\n" + settings_table()
    )


def account_settings_page() -> str:
    """The settings of an account."""
    rows = [
        (
            code(row.name),
            row.values,
            code(row.default) or "none",
            row.meaning,
            row.consequence + ("" if _is_read(row.name) else " **Stored; nothing reads it yet.**"),
            row.source,
        )
        for row in setting_rows()
    ]
    headers = ("setting", "values", "default", "meaning", "consequence", "source")
    return (
        "# Settings of an account\n\n`kartoteka accounts set NAME key=value` changes them, and so "
        "does `PATCH /api/v1/account/settings` with a key of full rights; `default` (in JSON: "
        "null) brings the default back. All changes of one call are made, or none. The column "
        "*source* names the decision that leaves the choice to the account.\n\n"
        + table(headers, rows)
    )


@cache
def _code_text() -> str:
    """All code but the declaration of the settings and the end points that show them."""
    return "\n".join(
        path.read_text("utf-8")
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "account_settings.py"
    )


def _is_read(setting: str) -> bool:
    return re.search(rf"settings\.{setting}\b", _code_text()) is not None


def identifiers_page() -> str:
    """The kinds of identifier."""
    rows = [
        (
            kind.label,
            code(kind.name),
            "lasting" if kind.lasting else "changeable",
            "one contact at a time" if kind.exclusive else "several contacts",
            "<br>".join(_example(given, kept) for given, kept in kind.examples),
        )
        for kind in KINDS
    ]
    headers = (
        "kind",
        "name",
        "lasting?",
        "stands on",
        "given → stored, in an account of region UA",
    )
    return (
        "# Kinds of identifier\n\nGiven as in JSON; *absent* means that the value is read as if it "
        "were not there.\n\n" + table(headers, rows) + _never_values()
    )


def _example(given: object, kept: str | None) -> str:
    return f"`{json.dumps(given, ensure_ascii=False)}` → {code(kept or '') or 'absent'}"


def _never_values() -> str:
    words = ", ".join(code(word) for word in sorted(NEVER_IDENTIFIERS) if "`" not in word)
    return (
        "\n## Values that stand for nobody\n\nAs External ID, token, device or cookie these are "
        "read as absent, whatever their case, and so is everything made of zeros, dashes, dots, "
        "colons and braces alone (an all-zero UUID, for instance). The answer's `resolution` has "
        "the warning `never_identifier`. An account adds its own e-mail addresses, mail domains "
        "and phones with the setting [`never_identifiers`](account-settings.md).\n\n" + words + "\n"
    )


def history_page() -> str:
    """Actions and rules of the identity history."""
    actions = [(code(name), meaning) for name, meaning in ACTIONS.items()]
    rules = [(code(name), *_split_rule(text)) for name, text in RULES.items()]
    return (
        "# Actions and rules of the identity history\n\nEvery change of identity leaves a row with "
        "an action and the rule that decided. The names are stable. How to read a history: "
        "[Identity history](../identity/history.md).\n\n## Actions\n\n"
        + table(("action", "what happened"), actions)
        + "\n## Rules\n\nThe column *source* names sentences of the guide (G), of the decisions "
        "(D), or of the wire contract.\n\n" + table(("rule", "source", "meaning"), rules)
    )


def _split_rule(text: str) -> tuple[str, str]:
    source, _, meaning = text.partition(": ")
    return source, meaning


def policies_page() -> str:
    """What each method may do with the contact it finds."""
    rows = [
        (
            code(policy.name),
            ", ".join(["External ID", *(BY_CODE[kind].label for kind in policy.order)]),
            ", ".join(kind.label for kind in KINDS if kind.code in policy.creates_by) or "never",
            _yes(policy.restores),
            _fills(policy),
            _absorbs(policy),
            code(policy.source),
        )
        for policy in _policies()
    ]
    headers = (
        "method",
        "searches by, in this order",
        "creates for",
        "restores?",
        "e-mail and phone of a found contact",
        "absorbs?",
        "`contactSource`",
    )
    return (
        "# What each method may do\n\n`updateContact` is addressed by its path: its order is only "
        "the External ID, which it checks. A contact that has an External ID is created for that "
        "too. An order restores a removed contact only if it is new and dated after the removal. What "
        "the columns mean: [How a contact is found](../identity/finding.md).\n\n"
        + table(headers, rows)
    )


def _policies() -> list[Policy]:
    module = import_module("kartoteka.identity.policies")
    return [one for one in vars(module).values() if isinstance(one, Policy)]


def _absorbs(policy: Policy) -> str:
    return (
        "anonymous ones" if policy.absorbs and not policy.absorbs_lasting else _yes(policy.absorbs)
    )


def _fills(policy: Policy) -> str:
    if policy.replaces:
        return "replaced"
    return "added where missing" if policy.fills else "left alone"


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


def errors_page() -> str:
    """Every error that the API answers with."""
    rows = {
        (str(_status(error)), code(error.code), default_message(error))
        for error in error_classes()
        if _status(error) != SERVER_FAULT or error is InternalError
    }
    return (
        "# Errors\n\nThe member `code` of an answer is stable; the message is for people, may say "
        "more than here, and may change. The form of an error, and what to do about it: "
        "[Errors and warnings](../api/errors.md).\n\n"
        + table(("status", "code", "message"), sorted(rows))
    )


def error_classes() -> Iterator[type[KartotekaError]]:
    """Every class of error."""
    for module in walk_packages(kartoteka.__path__, "kartoteka."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    waiting = [KartotekaError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        yield error


def _status(error: type[KartotekaError]) -> int:
    return status_of(error.__new__(error))  # some are made of what only their raiser knows


def methods_page() -> str:
    """Every method of the API with the right it needs."""
    served = [route for route in ROUTES if route.endpoint is not nothing]
    others = [route for route in ROUTES if route.endpoint is nothing]
    text = (
        "# API methods\n\nParameters, bodies and answers of each method: `/docs` of a running "
        "server, and the same as OpenAPI 3.1 at `/openapi.json`. Each right includes those before "
        "it: events, events and contacts (add/update only), events and contacts, full access. "
        "*Calls a second* is the limit of an account whose setting "
        "[`rate_limits`](account-settings.md) is on; methods without a number of their own share "
        f"{PER_SECOND[SHARED]}.\n"
    )
    for tag in dict.fromkeys(route.tag for route in served):
        rows = [_method(route) for route in served if route.tag == tag]
        text += f"\n## {tag}\n\n" + table(
            ("method", "what it does", "right", "calls a second"), rows
        )
    rows = [(_name(route), _right(route)) for route in others]
    return (
        text + "\n## Not served\n\nKartoteka sends no messages and has nothing for these paths of "
        "the original: after key and right are checked they answer 501 with the code `not_served`, "
        "and nothing is stored.\n\n" + table(("method", "right"), rows)
    )


def _method(route: Route) -> tuple[str, str, str, str]:
    limit = "" if route.pool is None else str(PER_SECOND[route.pool])
    return (_name(route), route.summary, _right(route), limit)


def _name(route: Route) -> str:
    return code(f"{route.method} {route.path}")


def _right(route: Route) -> str:
    return "none needed" if route.right is None else route.right.label


def commands_page() -> str:
    """The help of every command."""
    return (
        "# Commands\n\nEvery command tells the same with `--help`. Commands that need the database "
        "find the one of a running server, or start the embedded one for as long as they take.\n\n"
        + "\n".join(_help(command, "kartoteka"))
    )


def _help(of: click.Command, name: str) -> Iterator[str]:
    context = click.Context(of, info_name=name, terminal_width=90, **command.context_settings)
    yield f"## {name}\n\n```text\n{of.get_help(context)}\n```\n"
    if isinstance(of, click.Group):
        for part in of.list_commands(context):
            inner = of.get_command(context, part)
            if inner is not None:
                yield from _help(inner, f"{name} {part}")


def conditions_page() -> str:
    """What segments are made of."""
    text = (
        "# Conditions\n\nWhat a [segment](../segments/segments.md) is made of. `field` names the "
        "condition; *value* says which operators it knows.\n"
    )
    for family in dict.fromkeys(one.family for one in CONDITIONS):
        rows = [_condition(one) for one in CONDITIONS if one.family == family]
        headers = ("`field`", "what", "value", "parameters", "example")
        text += f"\n## {family}\n\n" + table(headers, rows)
    text += "\n## Operators\n\nA negated one is the exact opposite: it holds without a value too.\n"
    for type_, known in OPERATORS.items():
        rows = [(code(one.name), one.words, one.takes.value) for one in known.values()]
        text += f"\n### {type_.value}\n\n" + table(("`operator`", "in words", "`value`"), rows)
    rows = [(code(name), words, "nothing") for name, words in MEMBERSHIP.items()]
    return text + "\n### member\n\n" + table(("`operator`", "in words", "`value`"), rows)


def _condition(one: Condition) -> tuple[str, str, str, str, str]:
    value = "by its type" if one.type is None else one.type.value
    if one.choices:
        value += ": " + ", ".join(code(choice) for choice in one.choices)
    parameters = "; ".join(
        f"{code(each.name)}{'' if each.required else ' (optional)'}: {each.meaning}"
        for each in one.parameters
    )
    example = code(json.dumps(one.example, ensure_ascii=False))
    return (code(one.key), one.label, value, parameters, example)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "account-settings.md": account_settings_page,
    "commands.md": commands_page,
    "methods.md": methods_page,
    "errors.md": errors_page,
    "identifiers.md": identifiers_page,
    "policies.md": policies_page,
    "history.md": history_page,
    "conditions.md": conditions_page,
    "import.md": import_page,
}
