"""Calls of mobile applications: who calls, errors as the iOS SDK reads them, routes (wire 7.3)."""

from __future__ import annotations

from functools import wraps

import msgspec

from kartoteka.access.model import APP_KEYS
from kartoteka.activity.mobile.form import InvalidAppBody
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.call import Call
from kartoteka.api.errors import error_answer
from kartoteka.api.limits import address_of
from kartoteka.api.mobile_schemas import ACCESS_KEY, EMPTY
from kartoteka.api.routing import Endpoint, Parameter, Reply, Route, Schema
from kartoteka.errors import KartotekaError, Unauthorised
from kartoteka.identity.kinds import InvalidIdentifier

DONE = Answer(b"{}")
_NAMES = {"external_id": "externalUserId", "device": "deviceId", "mobile_token": "pushToken"}


def of_app(end_point: Endpoint) -> Endpoint:
    """The end point for an application's key; errors in the shape that the iOS SDK shows."""

    @wraps(end_point)
    async def run(call: Call) -> Answer:
        try:
            admit(call)
            call.caller = await call.services.keys.identify(access_key(call), APP_KEYS)
            return await end_point(call)
        except KartotekaError as error:
            return problem(error, call)

    return run


def admit(call: Call) -> None:
    address = address_of(call.scope, call.headers, call.services.trusted_proxies)
    call.services.public_limits.admit(address)


def access_key(call: Call) -> str:
    key = call.headers.get(b"x-reteno-access-key")
    if key is None or not key.strip():
        raise Unauthorised("The header X-Reteno-Access-Key must have the application's access key.")
    return key.decode("latin-1").strip()


def problem(error: KartotekaError, call: Call) -> Answer:
    """The error with `title`, `detail` and `invalid-params` beside its usual members (wire 7.3)."""
    answer = error_answer(error, call.scope["path"], call.at)
    body = msgspec.json.decode(answer.body)
    body.update({"title": body["error"], "detail": body["message"], "invalid-params": []})
    if isinstance(error, InvalidAppBody):
        body["invalid-params"] = error.params
    elif isinstance(error, InvalidIdentifier):
        name = _NAMES.get(error.kind, error.kind)
        body["invalid-params"] = [{"name": name, "reason": error.reason}]
    return json_answer(body, answer.status, answer.headers)


def sdk_route(
    method: str,
    path: str,
    operation: str,
    endpoint: Endpoint,
    summary: str,
    *,
    body: Schema | None = None,
    reply: Schema = EMPTY,
    parameters: tuple[Parameter, ...] = (ACCESS_KEY,),
    errors: tuple[int, ...] = (400, 401, 403, 413, 415, 429),
    description: str = "",
) -> Route:
    return Route(
        method=method,
        path=path,
        operation=operation,
        right=None,
        endpoint=endpoint,
        summary=summary,
        tag="Mobile SDK",
        description=description,
        parameters=parameters,
        body=body,
        body_optional=True,
        replies={200: Reply("It came.", reply)},
        errors=errors,
    )
