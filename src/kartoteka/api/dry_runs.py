"""A dry run that is not one would write: it is refused where a method has none (decisions D27)."""

from __future__ import annotations

from kartoteka.api.call import Call, InvalidParameter

_NAME = "dryRun"


def refuse_no_dry_run(call: Call) -> None:
    """Raises `InvalidParameter` where a writing method has no `dryRun`, or where it is misspelt.

    Other parameters that a method does not know are ignored (D24).
    """
    if call.route.method == "GET" or b"dryrun" not in call.scope["query_string"].lower():
        return
    for name in call.query:
        if name.lower() != _NAME.lower() or not call.flag(name):
            continue
        if not any(one.name == _NAME for one in call.route.parameters):
            raise InvalidParameter(f"This method has no parameter {_NAME}, so nothing was done.")
        if name != _NAME:
            raise InvalidParameter(f"The parameter is spelled {_NAME}, so nothing was done.")
