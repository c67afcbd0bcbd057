"""How people head the columns of their files: English, Ukrainian, Russian, the surest one first.

Case, blanks and signs do not count (`fields.heading_key`). What means different things in different
files is not here: a bare `id` may be the client's or ours, `ПІБ` and `full name` are no first name,
`telegram` is usually a name.
"""

from __future__ import annotations

HEADINGS: dict[str, tuple[str, ...]] = {
    "externalCustomerId": (
        *("externalCustomerId", "External ID", "external user id", "ext id", "user id"),
        *("customer id", "client id", "crm id", "member id", "buyer id", "customer number"),
        *("customer no", "customer code", "client number", "client code", "user number", "uid"),
        *("зовнішній id", "зовнішній ідентифікатор", "id клієнта", "ідентифікатор клієнта"),
        *("код клієнта", "номер клієнта", "id користувача", "id покупця", "ід клієнта"),
        *("внешний id", "внешний идентификатор", "id клиента", "идентификатор клиента"),
        *("код клиента", "номер клиента", "id пользователя", "id покупателя", "ид клиента"),
    ),
    "email": (
        *("email", "email address", "mail", "mail address", "emails"),
        *("електронна пошта", "адреса електронної пошти", "електронна адреса", "ел. пошта"),
        *("емейл", "імейл", "мейл", "пошта", "електронна скринька"),
        *("электронная почта", "адрес электронной почты", "электронный адрес", "эл. почта"),
        *("имейл", "мэйл", "почта", "эл. адрес"),
    ),
    "sms": (
        *("sms", "phone", "phone number", "mobile phone", "mobile", "mobile number"),
        *("cell phone", "cell", "cellphone number", "telephone", "telephone number", "tel"),
        *("msisdn", "viber", "phones"),
        *("телефон", "номер телефону", "мобільний телефон", "мобільний", "мобільний номер"),
        *("моб. телефон", "моб", "тел", "номер мобільного", "тел. номер"),
        *("номер телефона", "мобильный телефон", "мобильный", "мобильный номер", "сотовый"),
        *("сотовый телефон", "номер мобильного"),
    ),
    "firstName": (
        *("first name", "given name", "forename", "fname", "ім'я", "имя", "імя клієнта"),
        *("имя клиента", "name"),
    ),
    "lastName": (
        *("last name", "surname", "family name", "lname", "прізвище", "фамилия"),
        *("прізвище клієнта", "фамилия клиента"),
    ),
    "contactKey": ("contact key", "ключ контакту", "ключ контакта"),
    "languageCode": (
        *("language code", "language", "lang", "locale", "мова", "код мови"),
        *("мова спілкування", "язык", "код языка", "язык общения"),
    ),
    "timeZone": ("time zone", "tz", "часовий пояс", "часова зона", "часовой пояс"),
    "region": ("region", "state", "province", "oblast", "область", "регіон", "регион"),
    "town": ("city", "town", "місто", "населений пункт", "город", "населенный пункт"),
    "address": (
        *("address", "street address", "address line", "address line 1", "address 1", "street"),
        *("адреса", "поштова адреса", "вулиця", "адрес", "почтовый адрес", "улица"),
    ),
    "postcode": (
        *("postcode", "postal code", "zip code", "zip", "поштовий індекс", "індекс"),
        *("почтовый индекс", "индекс"),
    ),
    "id": ("contact id", "kartoteka id", "id контакту", "id контакта"),
    "mobilepush": ("mobile push token", "mobilepush", "mobile token", "push token", "fcm token"),
    "webpush": ("web push token", "webpush", "web token"),
    "telegram": ("telegram token", "telegram chat id"),
    "deviceId": ("device id",),
    "webId": ("web id", "web cookie"),
}

PREFIXES = (
    *("customer", "client", "contact", "user", "billing", "shipping", "buyer", "primary"),
    *("default address", "default"),
)
"""`Billing phone` is a phone, if no column is headed so itself."""
