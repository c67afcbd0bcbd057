"""What the sender of a file calls it."""

from __future__ import annotations

from email.message import Message
from urllib.parse import unquote

from kartoteka.outbound.links import Link

_LONGEST = 200


def file_name(disposition: str, *links: Link) -> str:
    """The name in the header Content-Disposition, else the end of the first link that has one.

    Without folders and control characters, at most 200 characters; empty when nothing names it.
    """
    candidates = [_of_disposition(disposition), *map(_of_link, links)]
    return next((name for name in map(_cleaned, candidates) if name), "")


def _of_disposition(text: str) -> str:
    message = Message()
    message["Content-Disposition"] = " ".join(text.split())
    try:
        return message.get_filename("")
    except (LookupError, ValueError):  # a charset that is none
        return ""


def _of_link(link: Link) -> str:
    """The last part of the path, if it looks like a file's name."""
    last = unquote(link.target.partition("?")[0].rpartition("/")[2])
    return last if "." in last.strip(".") else ""


def _cleaned(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip(" .")[-_LONGEST:]
