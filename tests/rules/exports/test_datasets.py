"""Names and order of columns (wire 10.3, wire 14 check 24, guide G14)."""

from __future__ import annotations

import pytest

from kartoteka.exports.datasets import BY_NAME, LATEST, LEFT_OUT, QUERIES, Type, read_datasets
from kartoteka.exports.errors import InvalidExport

COLUMNS = {
    "contacts": "contactId contactSource createdDate email emailDomain emailStatus externalCustomerId "
    "firstName languageCode lastClickedDate lastReceivedDate lastSentDate lastViewedDate lastName sms "
    "totalClicked totalReceived totalSent totalViewed",
    "devices": "appVersion applicationId category contactId deviceId deviceModel externalCustomerId "
    "languageCode osType osVersion pushToken timeZone",
    "events": "contactId eventId eventTypeKey keyValue occured paramsJson",
    "orders": "contactId deliveryAddress deliveryMethod discount email externalOrderId firstName "
    "lastName orderCreatedDate orderDate orderId paymentMethod Phone Status totalCost",
    "orderItems": "cost description externalProductId imageUrl name orderDate orderId quantity url",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_those_of_the_original_in_its_order(name):
    found = BY_NAME[name].columns_of(LATEST, keep_removed=False)
    assert [one.name for one in found] == COLUMNS[name].split()


@pytest.mark.parametrize(
    ("name", "has"), [("contacts", True), ("devices", True), ("events", False), ("orders", False)]
)
def test_where_the_external_id_is(name, has):
    """Wire 14, check 24: in contacts and devices of every new export, not in events and orders."""
    found = BY_NAME[name].columns_of(LATEST, keep_removed=False)
    assert ("externalCustomerId" in [one.name for one in found]) is has


def test_ids_are_bigint_and_times_have_a_zone():
    for one in BY_NAME.values():
        for column in one.columns:
            if column.name.endswith("Id") and column.name[0].islower():
                texts = ("applicationId", "deviceId", "externalCustomerId", "externalOrderId")
                expected = Type.TEXT if column.name in (*texts, *_MORE_TEXTS) else Type.BIGINT
                assert column.type == expected, column.name
            if column.name.endswith("Date"):
                assert column.type == Type.TIME


_MORE_TEXTS = ("externalProductId", "requestId")


@pytest.mark.parametrize("name", LEFT_OUT)
def test_data_sets_of_messages_are_refused_with_a_reason(name):
    with pytest.raises(InvalidExport, match=f"{name} is not exported"):
        read_datasets(["contacts", name])


@pytest.mark.parametrize("raw", [None, [], {}, "contacts", [1], ["Contacts"]])
def test_other_names_are_refused(raw):
    with pytest.raises(InvalidExport):
        read_datasets(raw)


def test_each_data_set_has_its_statement_and_scopes():
    for one in BY_NAME.values():
        assert one.query or one.name in QUERIES
        for scope in one.scopes:
            assert scope.query in QUERIES
            assert scope.column in [column.name for column in one.columns]
