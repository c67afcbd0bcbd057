"""Whether the first page of a website has its script."""

from __future__ import annotations

import msgspec

from kartoteka.activity.sites.model import Site
from kartoteka.errors import LinkFailed
from kartoteka.outbound.client import Outbound
from kartoteka.outbound.model import Answered

WITHIN_S = 10.0
MOST_BYTES = 2_000_000
_SEEN = 400
"""From here on an answer is no page."""


class Look(msgspec.Struct, frozen=True):
    """What was seen. `is_there` None: nothing can be said, `status` (if it answered) says why."""

    is_there: bool | None
    status: int = 200


async def look_at(outbound: Outbound, site: Site) -> Look:
    """Fetch the first page and look for the address of the script in it.

    A page that a tag manager fills in the browser has it only there: visits tell. Raises `LinkRefused`
    and `LinkFailed`.
    """
    answer = await _first_page(outbound, site.domain)
    if f"/scripts/{site.site_key}.js".encode() in answer.body:
        return Look(is_there=True)
    if answer.status >= _SEEN or answer.cut:
        return Look(is_there=None, status=answer.status)
    return Look(is_there=False)


async def _first_page(outbound: Outbound, domain: str) -> Answered:
    try:
        return await _page(outbound, f"https://{domain}/")
    except LinkFailed as secure:
        try:  # a shop that is being built may have no certificate yet
            return await _page(outbound, f"http://{domain}/")
        except LinkFailed:
            raise secure from None


async def _page(outbound: Outbound, link: str) -> Answered:
    return await outbound.request(
        "GET", link, headers={"Accept": "text/html"}, max_bytes=MOST_BYTES, within_s=WITHIN_S
    )
