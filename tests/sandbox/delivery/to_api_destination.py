# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send an event to an API destination as an HTTP request that its connection authorizes.

AWS does not say whether GET, HEAD and OPTIONS carry a body; here they carry none.
"""

from __future__ import annotations

import base64
from typing import Any

from .. import stored
from ..account import Account
from ..events import oauth
from ..events.connections import Connection, find_arn
from ..events.http_parameters import by_key, headers_of, of_event, permitted, with_body, with_path, with_query
from . import outbound
from .attempts import DeliveryFailed

FIXED = {
    "User-Agent": "Amazon/EventBridge/ApiDestinations",
    "Range": "bytes=0-1048575",
    "Accept-Encoding": "gzip,deflate",
    "Connection": "close",
}
BODILESS = ("GET", "HEAD", "OPTIONS")


def invoke(account: Account, target: dict[str, Any], event: dict[str, Any], payload: str) -> dict[str, Any]:
    arn = target["Arn"]
    destination = account.api_destinations.get((stored.region_of(arn), arn.split("/")[1]))
    if destination is None or destination.arn != arn:
        raise DeliveryFailed("NO_RESOURCE", f"API destination does not exist: {arn}")
    connection = find_arn(account, destination.connection_arn)
    if connection is None or connection.state != "AUTHORIZED":
        state = connection.state if connection else "deleted"
        raise DeliveryFailed("SDK_CLIENT_ERROR", f"the connection of {arn} is {state}", retry=bool(connection))
    if connection.authorization == "OAUTH_CLIENT_CREDENTIALS" and not connection.token:
        renew(account, connection)
    reply = once(account, destination, connection, target, event, payload)
    if reply.status in (401, 407) and connection.authorization == "OAUTH_CLIENT_CREDENTIALS":
        renew(account, connection)  # the token may have expired
        reply = once(account, destination, connection, target, event, payload)
    return judge(reply)


def once(
    account: Account,
    destination: Any,
    connection: Connection,
    target: dict[str, Any],
    event: dict[str, Any],
    payload: str,
) -> outbound.Reply:
    own = target.get("HttpParameters") or {}
    shared = connection.parameters.get("InvocationHttpParameters") or {}
    of_target = {name: of_event(value, event) for name, value in (own.get("HeaderParameters") or {}).items()}
    headers = headers_of(
        {"Content-Type": "application/json; charset=utf-8"},
        permitted(of_target),
        permitted(by_key(shared.get("HeaderParameters"))),
        authorization(connection),
        FIXED,
    )
    query = {name: of_event(value, event) for name, value in (own.get("QueryStringParameters") or {}).items()}
    url = with_path(destination.endpoint, [of_event(value, event) for value in own.get("PathParameterValues") or []])
    url = with_query(url, {**query, **by_key(shared.get("QueryStringParameters"))})
    body = None
    if destination.method not in BODILESS:
        body = with_body(payload, by_key(shared.get("BodyParameters"))).encode()
    try:
        return outbound.request(account, destination.method, url, headers, body)
    except outbound.Unreachable as problem:
        timed_out = "imed out" in str(problem)
        code = "TIMEOUT" if timed_out else "CONNECTION_FAILURE"
        raise DeliveryFailed(code, f"Unable to invoke ApiDestination endpoint: {problem}", problem.refused) from problem


def authorization(connection: Connection) -> dict[str, str]:
    parameters = connection.parameters
    if connection.authorization == "BASIC":
        basic = parameters["BasicAuthParameters"]
        pair = f"{basic['Username']}:{basic['Password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if connection.authorization == "API_KEY":
        given = parameters["ApiKeyAuthParameters"]
        return {given["ApiKeyName"]: given["ApiKeyValue"]}
    return {"Authorization": f"Bearer {connection.token}"}


def renew(account: Account, connection: Connection) -> None:
    reason = oauth.authorize(account, connection)
    if reason or not connection.token:
        text = f"no access token: {reason or 'there is no route to the authorization endpoint'}"
        raise DeliveryFailed("SDK_CLIENT_ERROR", text, retry=True)


def judge(reply: outbound.Reply) -> dict[str, Any]:
    if 200 <= reply.status < 300:
        return {"status": reply.status, "text": reply.text[:1000]}
    given = reply.headers.get("retry-after", "")
    after = float(given) if given.lstrip("-").isdigit() else 0.0
    retry = (reply.status == 429 or reply.status >= 500) and after >= 0
    text = f"Unable to invoke ApiDestination endpoint: HTTP {reply.status}: {reply.text[:500]}"
    raise DeliveryFailed("SDK_CLIENT_ERROR", text, retry, max(after, 0.0))
