"""The tracker as it is delivered: the settings of a website, then the script as it was published."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import msgspec

FOLDER = resources.files(__package__).joinpath("scripts")
"""One file a version; `tracker/` at the root of the checkout has the pages that test it."""
VERSION = "v1"
_KEY_CHARS = frozenset("0123456789abcdefABCDEF-")


@cache
def published(version: str = VERSION) -> str:
    """The script of that version, unchanged for ever."""
    return FOLDER.joinpath(f"{version}.js").read_text("utf-8")


def delivered(site_key: str, domain: str, org_id: int, *, respect_do_not_track: bool) -> bytes:
    """What `/scripts/<site key>.js` answers. Plug-ins read `orgId` of `_esConfig` (wire 9.4)."""
    config = {"siteId": site_key, "orgId": org_id, "domain": domain}
    if respect_do_not_track:
        config["respect"] = 1
    # `</script>` cannot end a page that has the script inside: no value has such characters.
    settings = msgspec.json.encode(config).decode()
    return f"window._esConfig={settings};\n{published()}".encode()


def etag(body: bytes) -> bytes:
    """Another text for another body."""
    return b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'


def snippet(host: str, site_key: str) -> str:
    """What a page embeds before the end of its body: a queue for early calls, then the script."""
    return (
        "<script>\n"
        "!function(w,d,u){w.eS=w.eS||function(){(w.eS.q=w.eS.q||[]).push(arguments)};"
        'var s=d.createElement("script");s.async=1;s.src=u;'
        "(d.body||d.head).appendChild(s)}"
        f'(window,document,"//{host}/scripts/{site_key}.js");\n'
        'eS("init");\n'
        "</script>"
    )


def is_site_key(text: str) -> bool:
    """Whether a website may have that key: others need not be looked for."""
    return 0 < len(text) <= 64 and _KEY_CHARS.issuperset(text)
