"""Hosts that exports may connect to: resolved once, checked, and the checked address is dialled."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from kartoteka.exports.errors import TargetRefused, TargetUnreachable
from kartoteka.exports.targets.base import Surroundings
from kartoteka.outbound.addresses import is_open


def addresses_of(
    host: str, surroundings: Surroundings, *, only_if_known: bool = False
) -> list[str]:
    """Its addresses that may be connected to; none for the path of a socket.

    Raises `TargetRefused` when it has only forbidden ones, `TargetUnreachable` when it has none
    (`only_if_known`: then nothing is said).
    """
    if host.startswith(("/", "@")):
        if not surroundings.allow_private:
            raise TargetRefused("Sockets of this machine are closed to exports here.")
        return []
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        if only_if_known:
            return []
        raise TargetUnreachable("The host of the target has no address.") from None
    every = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    allowed = [
        one for one in every if is_open(ip_address(one), allow_private=surroundings.allow_private)
    ]
    if not allowed:
        raise TargetRefused(
            "Exports from here may not go to that address: it is inside the server's own network "
            "(KARTOTEKA_EXPORT_PRIVATE_ADDRESSES opens it) or belongs to nobody."
        )
    return allowed
