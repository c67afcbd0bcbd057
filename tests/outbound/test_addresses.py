"""Which addresses are public, which are one's own, and which are nobody's."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.outbound.addresses import is_open

PUBLIC = (
    "8.8.8.8 1.1.1.1 93.184.216.34 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 "
    "192.167.255.255 192.169.0.1 11.0.0.1 223.255.255.255 169.253.0.1 "
    "2606:4700:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1"
)
OWN = (
    "127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 "
    "100.127.255.254 169.254.1.1 198.18.0.1 ::1 fe80::1 febf::1 fec0::1 fc00::1 fd12:3456::1 "
    "::ffff:127.0.0.1 ::ffff:10.1.2.3 64:ff9b::192.168.1.1 2002:7f00:1::1 2002:c0a8:101::"
)
NEVER = (
    "0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.0.0.8 192.0.2.1 "
    "198.51.100.1 203.0.113.9 192.88.99.1 :: ::2 ::127.0.0.1 ::8.8.8.8 ff02::1 ff0e::1 100::1 "
    "2001::1 2001:db8::1 2001:10::1 3fff::1 5f00::1 4000::1 64:ff9b:1::8.8.8.8 "
    "::ffff:0.0.0.0 ::ffff:224.0.0.1 64:ff9b::255.255.255.255 2002:e000:1::1 "
    "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 "
    "fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1"
)


@pytest.mark.parametrize("text", PUBLIC.split())
def test_the_public_internet_is_open(text):
    assert is_open(ip_address(text), allow_private=False)


@pytest.mark.parametrize("text", OWN.split())
def test_one_s_own_networks_are_opened_by_the_setting_alone(text):
    assert not is_open(ip_address(text), allow_private=False)
    assert is_open(ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", NEVER.split())
def test_nobody_s_addresses_and_metadata_services_stay_closed(text):
    assert not is_open(ip_address(text), allow_private=False)
    assert not is_open(ip_address(text), allow_private=True)


@given(st.ip_addresses(v=4), st.booleans())
def test_an_embedded_address_is_as_open_as_itself(inner: IPv4Address, allow: bool):
    outers = (
        int(IPv6Address("::ffff:0:0")) | int(inner),
        int(IPv6Address("64:ff9b::")) | int(inner),
        int(IPv6Address("2002::5")) | int(inner) << 80,
    )
    open_alone = is_open(inner, allow_private=allow)
    assert [is_open(IPv6Address(outer), allow_private=allow) for outer in outers] == [
        open_alone
    ] * 3


@given(st.ip_addresses())
def test_nothing_the_standard_library_calls_private_is_open(address):
    """Its opinion is too mild in places, never too strict, but for addresses with others in them."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if is_open(address, allow_private=False) and inner is None:
        traits = ("private", "loopback", "multicast", "link_local", "unspecified")
        assert [trait for trait in traits if getattr(address, f"is_{trait}")] == []
