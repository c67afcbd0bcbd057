"""Every word of the pages is in one file: none is missing, none is left over."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from kartoteka.admin import texts
from kartoteka.admin.rendering import environment
from kartoteka.admin.words import every_words, rule_words
from kartoteka.identity.history import ACTIONS, RULES

FOLDER = Path(str(resources.files("kartoteka.admin")))
SOURCES = [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py")]
_USED = re.compile(r"""\b(?:t|text|texts\.text)\(\s*f?['"]([a-z_]+\.[\w{}.'~ ]*?)['"]""")
_SAID = re.compile(r"""\.go\([^)]*?['"]([a-z_]+)['"](?:\)| if| else)""", re.DOTALL)
MADE = (
    *("menu", "said", "source", "column", "field", "state", "outcome", "role", "type", "action"),
    *(
        "did",
        "rule",
        "consent",
        "channel",
        "key_kind",
        "audit_action",
        "audit_detail",
        "settings",
        "shortcuts",
    ),
    *("steps", "frame.theme", "error.title", "imports.source", "simulator.outcome", "time", "card"),
    *("segments", "join", "family", "timeline.show", "order_status", "exports", "export_target"),
    *(
        "export_setting",
        "export_help",
        "app_kind",
        "webhook_event",
        "delivery",
        "parameter",
        "apart",
        "pair",
        "duplicates",
    ),
    *("users.delete", "websites.delete", "webhooks.delete", "apps.delete"),
)
"""Where keys are put together, so that no search finds each of them."""


def used() -> set[str]:
    found: set[str] = set()
    for path in SOURCES:
        found |= {key for key in _USED.findall(path.read_text("utf-8")) if "{" not in key}
    return {key for key in found if not key.endswith((".", "_"))}


def test_every_text_that_a_page_asks_for_is_there():
    assert used() > {"contacts.title", "simulator.lead"}
    missing = [key for key in used() if not texts.has(key)]
    assert not missing


def test_every_text_is_used():
    asked = used()
    left = [key for key in texts.catalogue() if key not in asked and not key.startswith(MADE)]
    assert not left


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_said_in_words(rule):
    """Decisions D26: the rule in words, and no code in them."""
    words = str(rule_words(rule))
    assert words != rule
    assert not re.search(r"\bD\d|\bG\d", words)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_said_in_words(action):
    assert texts.has(f"did.{action}")
    assert texts.has(f"action.{action}")


def test_what_is_put_into_a_text_is_escaped():
    assert (
        str(texts.text("erase.title", who="<b>Ann</b>")) == "Erase &lt;b&gt;Ann&lt;/b&gt; for good?"
    )


def test_numbers_choose_between_one_and_many_and_have_separators():
    assert str(texts.text("contacts.count", n=1)) == "1 contact"
    assert str(texts.text("contacts.count", n=12480)) == "12,480 contacts"


def test_every_action_of_the_audit_log_has_words():
    noted: set[str] = set()
    for path in FOLDER.rglob("*.py"):
        noted |= set(re.findall(r"""\.note\(\s*["']([a-z_]+)["']""", path.read_text("utf-8")))
    assert noted
    assert not [action for action in noted if not texts.has(f"audit_action.{action}")]


@pytest.mark.parametrize("name", environment().list_templates(["html"]))
def test_every_template_can_be_read(name):
    environment().get_template(name)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (900, "every 15 minutes"),
        (3600, "every hour"),
        (86_400, "every day"),
        (90, "every 90 seconds"),
    ],
)
def test_how_often_is_said_in_words(seconds, words):
    assert every_words(seconds) == words
