"""Bodies in the shapes that the two SDKs send, member for member (wire 7.4, models of both SDKs)."""

from __future__ import annotations

from typing import Any

ANDROID: dict[str, Any] = {
    "device": {
        "deviceId": "a1f4c9d2e07b4c11",
        "externalUserId": None,
        "pushToken": "fcm:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx",
        "pushSubscribed": True,
        "category": "MOBILE",
        "osType": "ANDROID",
        "osVersion": "14",
        "deviceModel": "Pixel 8",
        "appVersion": "5.2.0",
        "languageCode": "uk",
        "timeZone": "Europe/Kyiv",
        "advertisingId": "7c0d8e1a-6f5b-4a39-9e8d-1b2c3d4e5f60",
        "phone": None,
        "email": None,
    },
    "user": {
        "deviceId": "a1f4c9d2e07b4c11",
        "externalUserId": "ALICE-7",
        "userAttributes": {
            "phone": "+380501112233",
            "email": "alice@example.com",
            "firstName": "Alice",
            "lastName": "Archer",
            "languageCode": "uk",
            "timeZone": "Europe/Kyiv",
            "marketId": "UA-1",
            "address": {"region": "Kyiv", "town": "Kyiv", "address": "Main 1", "postcode": "01001"},
            "fields": [
                {"key": "PERSONAL.BIRTHDAY", "value": "1990-05-17"},
                {"key": "PERSONAL.NOTHING", "value": "x"},
                {"key": "personal.gender", "value": None},
            ],
        },
        "subscriptionKeys": ["news"],
        "groupNamesInclude": ["App users"],
        "groupNamesExclude": ["Guests"],
    },
    "events": {
        "deviceId": "a1f4c9d2e07b4c11",
        "externalUserId": None,
        "events": [
            {
                "eventTypeKey": "productViewed",
                "occurred": "2026-11-26T08:11:11.005Z",
                "params": [
                    {
                        "name": "product",
                        "value": '{"productId":"P-1","price":123.3,"isInStock":1,"size":["M","L"]}',
                    },
                    {"name": "currencyCode", "value": "UAH"},
                ],
            },
            {
                "eventTypeKey": "SessionStarted",
                "occurred": "2026-11-26T08:10:00.000Z",
                "params": [
                    {"name": "note", "value": '{"kept": "as it came"}'},
                    {"name": "none", "value": None},
                ],
            },
            {"eventTypeKey": "screenView", "occurred": "2031-01-01T00:00:00.000Z", "params": None},
        ],
    },
}

IOS: dict[str, Any] = {
    "device": {
        "deviceId": "0D8F5A1B-2C3D-4E5F-8A9B-0C1D2E3F4A5B",
        "category": "MOBILE",
        "osType": "IOS",
        "osVersion": "17.5",
        "deviceModel": "iPhone",
        "timeZone": "Europe/Kyiv",
        "pushToken": "",
        "pushSubscribed": False,
        "languageCode": "uk",
        "appVersion": "5.2.0",
    },
    "interaction": {
        "token": "token-1",
        "status": "CLICKED",
        "time": "2026-11-26T08:11:11Z",
        "action": {"type": "OPEN_URL", "url": "https://a.example"},
    },
}
