"""Custom fields: the one spelling of a value for each type (wire 2.10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType, check_value
from kartoteka.contacts.values.dates import read_date, read_datetime
from kartoteka.contacts.values.errors import InvalidField

any_text = st.text(st.characters(codec=None, exclude_categories=[]), max_size=40)
numbers = st.integers() | st.floats() | st.decimals(allow_nan=False).map(str)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | any_text | st.datetimes().map(str) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=4,
)
near_misses = st.text(st.sampled_from("0123456789-+.,/T: nul SML"), max_size=20)


def field(kind: FieldType, **rules: Any) -> FieldDefinition:
    return FieldDefinition(
        id=7, list_key="PERSONAL", list_name="Personal", key="SIZE", name="Size", type=kind, **rules
    )


SIZES = field(FieldType.COMBOBOX, possible_values=("S", "M", "L"))
SEVERAL = field(FieldType.CHECKBOXLIST, possible_values=("S", "M", "L"))
DEFINITIONS = [*(field(kind) for kind in FieldType), SIZES, SEVERAL]


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        (FieldType.TEXTFIELD, " a % ^ * | ~ { ", "a % ^ * | ~ {"),
        (FieldType.TEXTFIELD, 5, "5"),
        (FieldType.TEXTFIELD, "x" * 1000, "x" * 1000),
        (FieldType.TEXTAREA, "one\n\ttwo\r\n", "one\n\ttwo"),
        (FieldType.NUMBER, "007", "7"),
        (FieldType.NUMBER, 5.0, "5"),
        (FieldType.NUMBER, "+5", "5"),
        (FieldType.NUMBER, -2147483648, "-2147483648"),
        (FieldType.NUMBER, "2147483647", "2147483647"),
        (FieldType.DECIMAL, "12.50", "12.5"),
        (FieldType.DECIMAL, 100, "100"),
        (FieldType.DECIMAL, "-0.0", "0"),
        (FieldType.DECIMAL, "007.5", "7.5"),
        (FieldType.DECIMAL, 0.1, "0.1"),
        (
            FieldType.DECIMAL,
            "12345678901234567890.12345678901234567891",
            "12345678901234567890.12345678901234567891",
        ),
        (FieldType.DATE, "1990-05-01", "1990-05-01"),
        (FieldType.DATE, "01/05/1990", "1990-05-01"),
        (FieldType.DATE, "01.05.1990", "1990-05-01"),
        (FieldType.DATE, "01.05.90", "1990-05-01"),
        (FieldType.DATE, "01.05.46", "1946-05-01"),
        (FieldType.DATE, "01.05.45", "2045-05-01"),
        (FieldType.DATE, "1990-05-01T00:00:00Z", "1990-05-01"),
        (FieldType.DATE, "2024-02-29", "2024-02-29"),
        (FieldType.DATETIME, "2026-01-05T10:11", "2026-01-05T10:11"),
        (FieldType.DATETIME, "2026-01-05 10:11:12", "2026-01-05T10:11"),
        (FieldType.DATETIME, "2026-01-05T10:11:10.123456+02:00", "2026-01-05T10:11"),
        (FieldType.DATETIME, "2026-01-05", "2026-01-05T00:00"),
        (FieldType.TAGS, "b, a,b,,null", "b,a"),
        (FieldType.TAGS, ["b", "a", "b"], "b,a"),
        (FieldType.TAGS, ", ,", None),
        (FieldType.TAGS, [], None),
    ],
)
def test_a_value_gets_the_one_spelling_of_its_type(
    kind: FieldType, raw: object, stored: str | None
) -> None:
    assert check_value(field(kind), raw) == stored


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        *((kind, raw) for kind in FieldType for raw in (True, {}, [1], "\x00", "a\ud800")),
        (FieldType.TEXTFIELD, ["a"]),
        (FieldType.TEXTFIELD, "x" * 1001),
        (FieldType.TEXTFIELD, "one\ntwo"),
        (FieldType.TEXTAREA, "x" * 5001),
        *(
            (FieldType.NUMBER, raw)
            for raw in ("5.5", "1 000", "five", 2**31, -(2**31) - 1, "٥", 1e20)
        ),
        *(
            (FieldType.DECIMAL, raw)
            for raw in ("1,5", "1e5", ".", "1.", "NaN", float("nan"), 1e300)
        ),
        *(
            (FieldType.DATE, raw)
            for raw in ("2023-02-29", "31.02.2024", "1/5/1990", "05-01-1990", "0000-01-01")
        ),
        *((FieldType.DATE, raw) for raw in ("1990-05-01T25:00", "٠١.٠٥.١٩٩٠", 19900501)),
        *(
            (FieldType.DATETIME, raw)
            for raw in ("2026-01-05T24:00", "2026-01-05T10", "01.05.1990", "now")
        ),
    ],
)
def test_a_value_of_another_type_is_refused(kind: FieldType, raw: object) -> None:
    with pytest.raises(InvalidField) as refused:
        check_value(field(kind), raw)
    assert refused.value.code == "invalid_field"
    assert refused.value.field == "PERSONAL.SIZE"


@pytest.mark.parametrize(
    ("raw", "stored"),
    [("S", "S"), ("L, S ,L", "L,S"), (["M", "S"], "M,S"), (" ", None), ([], None)],
)
def test_checkboxes_are_stored_in_the_order_given_each_once(
    raw: object, stored: str | None
) -> None:
    assert check_value(SEVERAL, raw) == stored


@pytest.mark.parametrize(
    ("definition", "raw"), [(SIZES, "XL"), (SIZES, "s"), (SIZES, "S,M"), (SEVERAL, "S,XL")]
)
def test_only_possible_values_can_be_chosen(definition: FieldDefinition, raw: str) -> None:
    with pytest.raises(InvalidField):
        check_value(definition, raw)


def test_a_number_keeps_to_the_limits_of_its_field() -> None:
    age = field(FieldType.NUMBER, min_value=18, max_value=Decimal(120))
    price = field(FieldType.DECIMAL, min_value=Decimal("0.5"))
    assert check_value(age, 18) == "18"
    assert check_value(age, "120") == "120"
    assert check_value(price, "0.50") == "0.5"
    for definition, raw in ((age, 17), (age, 121), (price, "0.49")):
        with pytest.raises(InvalidField):
            check_value(definition, raw)


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("blank", [None, "", " ", "null"])
def test_a_blank_value_is_absent(definition: FieldDefinition, blank: object) -> None:
    """Decisions D16: null and blank leave the stored value alone, also in a required field."""
    assert check_value(definition, blank) is None


@given(st.sampled_from(DEFINITIONS), json_values | near_misses)
def test_checking_twice_changes_nothing_and_only_our_own_error_is_raised(
    definition: FieldDefinition, raw: Any
) -> None:
    try:
        stored = check_value(definition, raw)
    except InvalidField:
        return
    assert check_value(definition, stored) == stored
    assert stored is None or stored.encode().decode() == stored != ""


@given(st.dates())
def test_every_spelling_of_a_date_is_the_same_date(day: Any) -> None:
    iso, year = day.isoformat(), f"{day.year:04}"
    assert read_date(iso) == iso
    assert read_date(f"{day.day:02}/{day.month:02}/{year}") == iso
    assert read_date(f"{day.day:02}.{day.month:02}.{year}") == iso


@given(st.datetimes())
def test_a_time_loses_its_seconds_only(moment: Any) -> None:
    assert read_datetime(moment.isoformat()) == moment.isoformat(timespec="minutes")
