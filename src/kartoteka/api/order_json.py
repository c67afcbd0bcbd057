"""Orders and totals as the API answers them; what is unset is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kartoteka.activity.orders.model import Order, OrderItem, OrderStatus
from kartoteka.activity.orders.reads import Totals
from kartoteka.api.identity_reading import moment


def order_json(order: Order, items: Sequence[OrderItem]) -> dict[str, Any]:
    """An order in the words of POST orders, with our own id and times beside."""
    return _said(
        {
            "orderId": order.order_id,
            "externalOrderId": order.external_order_id,
            "status": OrderStatus(order.status).name,
            "totalCost": order.total_cost,
            "currency": order.currency,
            "date": moment(order.ordered_at),
            "externalCustomerId": order.external_customer_id,
            "email": order.email,
            "phone": order.phone,
            "firstName": order.first_name,
            "lastName": order.last_name,
            "shipping": order.shipping,
            "discount": order.discount,
            "taxes": order.taxes,
            "restoreUrl": order.restore_url,
            "statusDescription": order.status_description,
            "storeId": order.store_id,
            "source": order.source,
            "deliveryMethod": order.delivery_method,
            "paymentMethod": order.payment_method,
            "deliveryAddress": order.delivery_address,
            "additionalInfo": order.additional or None,
            "items": [_item(one) for one in items],
            "created": moment(order.created_at),
            "updated": moment(order.updated_at),
        }
    )


def _item(item: OrderItem) -> dict[str, Any]:
    return _said(
        {
            "externalItemId": item.external_item_id,
            "name": item.name,
            "category": item.category,
            "quantity": item.quantity,
            "cost": item.cost,
            "url": item.url,
            "imageUrl": item.image_url,
            "description": item.description,
        }
    )


def totals_json(contact_id: int, totals: Sequence[Totals]) -> dict[str, Any]:
    """Counts and dates over all currencies; money for each currency apart."""
    firsts = [one.first_delivered for one in totals if one.first_delivered is not None]
    lasts = [one.last_delivered for one in totals if one.last_delivered is not None]
    return _said(
        {
            "id": contact_id,
            "orders": sum(one.orders for one in totals),
            "delivered": sum(one.delivered for one in totals),
            "firstDate": moment(min(firsts)) if firsts else None,
            "lastDate": moment(max(lasts)) if lasts else None,
            "currencies": [_of_currency(one) for one in totals],
        }
    )


def _of_currency(one: Totals) -> dict[str, Any]:
    return _said(
        {
            "currency": one.currency,
            "orders": one.orders,
            "delivered": one.delivered,
            "sum": one.delivered_sum,
            "average": one.average,
        }
    )


def _said(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
