"""Which internet addresses users may send the server to: public ones.

The tables follow the IANA special-purpose registries and stand here in full, because `is_global` of
the standard library differs between versions and calls `fec0::1` and `192.0.0.192` public.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

Address = IPv4Address | IPv6Address

METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # most clouds
        "169.254.170.2",  # Amazon: containers
        "169.254.170.23",
        "169.254.0.23",  # Tencent
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure, in the midst of public addresses
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # Amazon
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)
"""Where clouds hand out credentials to whoever asks from inside; no setting opens them."""

_OWN_4 = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers (CGNAT)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks of networks
    )
)
_OWN_6 = tuple(
    IPv6Network(text)
    for text in ("::1/128", "fc00::/7", "fe80::/10", "fec0::/10")  # the last: site-local, of old
)
_NEVER_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # "this network"; Linux takes 0.0.0.0 for itself
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation, like the next two
        "198.51.100.0/24",
        "203.0.113.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_NEVER_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo
        "2001:db8::/32",  # documentation
        "3fff::/20",
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
"""All that is given out for the public internet; what is outside it is refused unseen."""
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


def is_open(address: Address, *, allow_private: bool) -> bool:
    """Whether the server may connect there.

    `allow_private` opens the own networks (loopback, private, shared, link-local, unique local), and
    neither metadata services nor addresses that are nobody's.
    """
    if isinstance(address, IPv6Address):
        inner = embedded(address)
        if inner is not None:
            return is_open(inner, allow_private=allow_private)
    if address in METADATA:
        return False
    if isinstance(address, IPv4Address):
        return not _within(address, _NEVER_4) and (allow_private or not _within(address, _OWN_4))
    if _within(address, _OWN_6):
        return allow_private
    return address in _GLOBAL_6 and not _within(address, _NEVER_6)


def embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a packet to this one ends at: IPv4-mapped, NAT64 (RFC 6052), 6to4."""
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    return None


def _within(address: Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)
