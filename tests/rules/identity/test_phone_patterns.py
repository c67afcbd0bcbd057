"""The quick reading of phones says what libphonenumber says (decisions D4)."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartoteka.identity.kinds import Region
from kartoteka.identity.kinds.phone import _read
from kartoteka.identity.kinds.phone_patterns import patterns_of, read_quickly

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
QUICK = [region for region in REGIONS if patterns_of(region) is not None]


def test_most_regions_are_quick() -> None:
    assert "UA" in QUICK
    assert len(QUICK) > 100


@pytest.mark.parametrize("region", QUICK)
def test_examples_of_every_region_are_read_alike(region: str) -> None:
    for kind in range(11):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
        quick = read_quickly(text, region)
        assert quick in (None, _read(text, Region(region)))
        assert quick in (None, _read("+" + text, Region(region)))


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(QUICK), st.from_regex(r"[0-9]{4,14}", fullmatch=True), st.booleans())
def test_any_digits_are_read_alike(region: str, digits: str, with_code: bool) -> None:
    patterns = patterns_of(region)
    assert patterns is not None
    text = patterns.code + digits if with_code else digits
    quick = read_quickly(text, region)
    if quick is not None:
        assert quick == _read(text, Region(region)) == _read("+" + text, Region(region))
