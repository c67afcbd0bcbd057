"""Orders out of JSON: what real shops send, what refuses an order, what is dropped beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.activity.orders.form import MAX_ITEMS, read_order, read_said
from kartoteka.activity.orders.model import (
    OrderItem,
    OrderRefused,
    OrderStatus,
    items_hash,
)
from kartoteka.identity.kinds import Region

UA = Region("UA")
LEAST: dict[str, Any] = {
    "externalOrderId": "1001",
    "status": "DELIVERED",
    "totalCost": 258,
    "date": "2026-01-05T10:11:10+02:00",
    "email": "anna@example.com",
}


def read(**said: Any):
    return read_order({**LEAST, **said}, UA)


def warned(**said: Any) -> list[tuple[str, str | None]]:
    return [(one.code, one.field) for one in read(**said).contact.warnings]


def test_words_say_which_item_and_what_it_must_be():
    """People read the sentence, programs the field."""
    cases = {
        "tea": "items[0] must be an object.",
        5: "items[0] must be an object.",
    }
    for item, words in cases.items():
        with pytest.raises(OrderRefused) as caught:
            read(items=[item])
        assert caught.value.message == words
    with pytest.raises(OrderRefused) as caught:
        read(items=[{"externalItemId": "1"}])
    assert caught.value.message == "items[0].quantity is missing or blank."
    (notice,) = read(items=[{"externalItemId": "1", "quantity": 1, "cost": "x"}]).contact.warnings
    assert notice.message.startswith("items[0].cost must be an amount")


def refusal(raw: object) -> tuple[str, str | None]:
    with pytest.raises(OrderRefused) as caught:
        read_order(raw, UA)
    return caught.value.reason, caught.value.field


def test_the_least_order():
    order = read()
    assert order.said.external_order_id == "1001"
    assert order.said.status is OrderStatus.DELIVERED
    assert order.said.total_cost == Decimal(258)
    assert order.said.moment == datetime(2026, 1, 5, 8, 11, 10, tzinfo=UTC)
    assert order.said.currency is None
    assert order.contact.person.email.value == order.said.email == "anna@example.com"
    assert order.contact.warnings == ()


@pytest.mark.parametrize("name", ["externalOrderId", "status", "totalCost", "date"])
@pytest.mark.parametrize("blank", ["", " ", None, "null"])
def test_what_is_required_must_be_there(name, blank):
    """Wire 5.1: a required member that is missing refuses the order and says which."""
    assert refusal({**LEAST, name: blank}) == ("missing_member", name)
    assert refusal({key: value for key, value in LEAST.items() if key != name}) == (
        "missing_member",
        name,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "PAID"),
        ("status", 3),
        ("totalCost", "1 000,00"),
        ("totalCost", {"amount": 5}),
        ("date", "yesterday"),
        ("date", 20260105),
        ("currency", "hryvnia"),
        ("currency", "₴"),
        ("externalOrderId", ["1"]),
        ("externalOrderId", True),
        ("externalOrderId", "a\x07"),
        ("externalOrderId", "9" * 256),
        ("externalCustomerId", ["X"]),
        ("externalCustomerId", "X" * 256),
        ("externalCustomerId", True),
    ],
)
def test_what_is_ill_formed_and_counts_refuses_the_order(name, value):
    assert refusal({**LEAST, name: value}) == ("invalid_member", name)


@pytest.mark.parametrize("raw", [None, [], "order", 5, True])
def test_an_order_is_an_object(raw):
    assert refusal(raw) == ("invalid_order", None)


@pytest.mark.parametrize(
    "whom",
    [
        {"email": None},
        {"email": "", "phone": " ", "externalCustomerId": ""},
        {"email": "null", "externalCustomerId": None, "phone": None},
        {"email": "no address", "phone": "12"},
        {"email": "", "externalCustomerId": "undefined"},
    ],
)
def test_an_order_names_somebody(whom):
    """Wire 5.1, check 17: none of the three is a refusal; a shop's guest has an empty External ID."""
    assert refusal({**LEAST, **whom}) == ("no_identifier", None)


@pytest.mark.parametrize(
    ("status", "read_as"),
    [
        ("INITIALIZED", "INITIALIZED"),
        ("in_progress", "IN_PROGRESS"),
        (" Delivered ", "DELIVERED"),
        ("CANCELED", "CANCELLED"),  # X22
        ("IN PROGRESS", "IN_PROGRESS"),
        ("ABANDONED_SHOPPING_CART", "ABANDONED_SHOPPING_CART"),
    ],
)
def test_statuses(status, read_as):
    assert read(status=status).said.status.name == read_as


def test_numbers_become_ids():
    """WooCommerce sends the customer, OpenCart the order and the items as numbers."""
    order = read(
        externalOrderId=77, externalCustomerId=42, items=[{"externalItemId": 5, "quantity": "2"}]
    )
    assert order.said.external_order_id == "77"
    assert order.contact.person.external_id.value == order.said.external_customer_id == "42"
    assert order.said.items == (OrderItem("5", Decimal(2)),)


def test_everything_that_an_order_can_say():
    order = read(
        currency="eur",
        phone="+380501112233",
        firstName="Anna",
        lastName="Kovalenko",
        shipping="10",
        discount=2.5,
        taxes="0.00",
        restoreUrl="https://shop.example/cart/1",
        statusDescription="on its way",
        storeId=3,
        source="OFFLINE",
        deliveryMethod="Courier",
        paymentMethod="Card",
        deliveryAddress="Khreshchatyk 1\nKyiv",
        additionalInfo={"comment": "ring twice", "gift": True, "floor": 4},
        items=[
            {
                "externalItemId": "sku-1",
                "quantity": 1.5,
                "name": "Tea",
                "category": "Food",
                "cost": "99.90",
                "url": "https://shop.example/tea",
                "imageUrl": "https://shop.example/tea.jpg",
                "description": "Green",
            }
        ],
    )
    said = order.said
    assert (said.currency, said.phone) == ("EUR", "380501112233")
    assert (said.first_name, said.last_name) == ("Anna", "Kovalenko")
    assert order.contact.profile.first_name == "Anna"
    assert (said.shipping, said.discount, said.taxes) == (10, Decimal("2.5"), 0)
    assert said.restore_url == "https://shop.example/cart/1"
    assert (said.status_description, said.store_id) == ("on its way", "3")
    assert (said.source, said.delivery_method, said.payment_method) == (
        "offline",
        "Courier",
        "Card",
    )
    assert said.delivery_address == "Khreshchatyk 1\nKyiv"
    assert said.additional == {"comment": "ring twice", "gift": "true", "floor": "4"}
    assert said.items == (
        OrderItem(
            "sku-1",
            Decimal("1.5"),
            "Tea",
            "Food",
            Decimal("99.90"),
            "https://shop.example/tea",
            "https://shop.example/tea.jpg",
            "Green",
        ),
    )
    assert order.contact.warnings == ()


def test_null_blank_and_empty_say_nothing():
    """brownie sends null for every unset member; decisions D16."""
    names = (
        *("currency", "externalCustomerId", "phone", "firstName", "lastName", "shipping"),
        *("discount", "taxes", "restoreUrl", "statusDescription", "storeId", "source"),
        *("deliveryMethod", "paymentMethod", "deliveryAddress", "additionalInfo", "items"),
    )
    for blank in (None, "", " "):
        assert read(**dict.fromkeys(names, blank)) == read()
    assert read(additionalInfo={}, items=[]) == read()


@pytest.mark.parametrize("source", ["online", "shop", 5, "Online"])
def test_any_other_source_is_online(source):
    assert read(source=source).said.source == "online"


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        ({"shipping": "ten"}, ("invalid_member", "shipping")),
        ({"taxes": [1]}, ("invalid_member", "taxes")),
        ({"storeId": "x" * 256}, ("invalid_member", "storeId")),
        ({"restoreUrl": {"a": 1}}, ("invalid_member", "restoreUrl")),
        ({"additionalInfo": "text"}, ("invalid_member", "additionalInfo")),
        ({"additionalInfo": {"a": [1]}}, ("invalid_member", "additionalInfo")),
        ({"phone": "12"}, ("invalid_phone", "phone")),
        ({"externalCustomerId": "guest"}, ("never_identifier", "externalCustomerId")),
        ({"firstName": "12345"}, ("invalid_name", "firstName")),
        ({"webId": "undefined"}, ("never_identifier", "web_cookie")),
        (
            {"items": [{"externalItemId": "1", "quantity": 1, "cost": "a lot"}]},
            ("invalid_member", "items[0].cost"),
        ),
        (
            {"items": [{"externalItemId": "1", "quantity": 1, "name": {"x": 1}}]},
            ("invalid_member", "items[0].name"),
        ),
    ],
)
def test_what_is_ill_formed_beside_it_is_dropped_with_a_warning(said, warning):
    """Decisions D18."""
    assert warned(**said) == [warning]


def test_an_email_that_is_none_is_dropped_beside_a_phone():
    order = read(email="no address", phone="+380501112233")
    assert order.contact.person.email is None
    assert [(one.code, one.field) for one in order.contact.warnings] == [("invalid_email", "email")]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"quantity": 1}, ("missing_member", "items[1].externalItemId")),
        ({"externalItemId": "2"}, ("missing_member", "items[1].quantity")),
        ({"externalItemId": "2", "quantity": "many"}, ("invalid_member", "items[1].quantity")),
        ("tea", ("invalid_member", "items[1]")),
        (None, ("invalid_member", "items[1]")),
    ],
)
def test_an_item_has_id_and_quantity(item, reason):
    good = {"externalItemId": "1", "quantity": 1}
    assert refusal({**LEAST, "items": [good, item]}) == reason
    said, warnings = read_said({**LEAST, "items": [good, item]}, lenient=True)
    assert said.items == (OrderItem("1", Decimal(1)),)
    assert [(one.code, one.field) for one in warnings] == [reason]


def test_one_item_may_come_without_its_list():
    assert len(read(items={"externalItemId": "1", "quantity": 1}).said.items) == 1


def test_too_many_items_are_refused():
    items = [{"externalItemId": "1", "quantity": 1}] * (MAX_ITEMS + 1)
    assert refusal({**LEAST, "items": items}) == ("too_many_items", "items")


def test_visitor_and_device_come_along():
    """Decisions D34: webId and deviceId, text or list."""
    person = read(webId=["c1", "c2"], deviceId="d1").contact.person
    assert [one.value for one in person.changeable] == ["d1", "c1", "c2"]


def test_unknown_members_are_ignored():
    assert read(id=5, groups=None, fooBar={"x": [1]}) == read()


def test_equal_items_hash_alike():
    first, second = OrderItem("1", Decimal("1.00")), OrderItem("1", Decimal(1))
    assert items_hash([first]) == items_hash([second])
    assert items_hash([first]) != items_hash([first, second])
    assert items_hash([first]) != items_hash([OrderItem("1", Decimal(1), name="x")])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *LEAST,
                "items",
                "additionalInfo",
                "phone",
                "taxes",
                "webId",
                "currency",
                "firstName",
                "storeId",
            ]
        ),
        json_values,
    )
)
def test_whatever_comes_it_is_read_or_refused(said):
    """No other error than the one that goes into `failedOrders`."""
    try:
        read_order({**LEAST, **said}, UA)
    except OrderRefused as error:
        assert error.message  # noqa: PT017
