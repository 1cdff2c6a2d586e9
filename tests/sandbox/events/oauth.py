# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange client credentials for a token at the authorization endpoint of a connection.

AWS does not document the request. Here it has the client's id and secret in the body (in the query, for GET), together
with the connection's own parameters. It has grant_type only if that is one of those parameters.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from ..delivery import outbound
from .http_parameters import by_key, with_query

if TYPE_CHECKING:
    from ..account import Account
    from .connections import Connection


def authorize(account: Account, connection: Connection) -> str | None:
    """Fetch a token. Return why that failed; None if it succeeded or the sandbox has no route to the endpoint."""
    if connection.authorization != "OAUTH_CLIENT_CREDENTIALS":
        return None
    given: dict[str, Any] = connection.parameters["OAuthParameters"]
    endpoint, method, http = given["AuthorizationEndpoint"], given["HttpMethod"], given.get("OAuthHttpParameters") or {}
    parts = urlsplit(endpoint)
    try:
        outbound.address_of(account, f"{parts.scheme}://{parts.netloc}")
    except outbound.Unreachable:
        return None
    client = given["ClientParameters"]
    secrets = {"client_id": client["ClientID"], "client_secret": client["ClientSecret"]}
    query, body = by_key(http.get("QueryStringParameters")), by_key(http.get("BodyParameters"))
    headers = {"Content-Type": "application/x-www-form-urlencoded", **by_key(http.get("HeaderParameters"))}
    if method == "GET":
        query, data = {**query, **secrets}, None
    else:
        data = urlencode({**body, **secrets}).encode()
    try:
        reply = outbound.request(account, method, with_query(endpoint, query), headers, data)
        answer = json.loads(reply.text) if reply.status < 300 else {}
        connection.token = answer["access_token"]
    except outbound.Unreachable as problem:
        return str(problem)
    except (ValueError, KeyError):
        return f"the authorization endpoint answered with HTTP {reply.status} and without a token"
    return None
