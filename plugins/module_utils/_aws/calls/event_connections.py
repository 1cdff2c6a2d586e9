# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Connections of EventBridge: each function makes one call.

Every function takes the boto3 client first and may raise ``CallFailed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import ALREADY_EXISTS, NOT_FOUND, aws_call
from ..._core.events.connection.model import (
    API_KEY,
    BASIC,
    OAUTH,
    TYPES,
    Authorization,
    Connection,
    HttpParameters,
    Parameter,
)

_LISTS = {"header": "HeaderParameters", "query": "QueryStringParameters", "body": "BodyParameters"}
_KINDS = {name: kind for kind, name in TYPES.items()}


@aws_call("events:DescribeConnection", expected=NOT_FOUND)
def describe_connection(events: Any, name: str) -> Connection | None:
    """Return the connection, or None if none has that name."""
    return _connection(events.describe_connection(Name=name))


@aws_call("events:CreateConnection", expected=ALREADY_EXISTS)
def create_connection(
    events: Any,
    name: str,
    description: str,
    authorization: Authorization,
    http: HttpParameters | None,
    kms_key: str | None,
) -> tuple[str, str] | None:
    """Create a connection. Return its ARN and state, or None if it already exists."""
    settings = _settings(description, authorization, http, kms_key or None)
    answer = events.create_connection(Name=name, **settings)
    return answer["ConnectionArn"], answer["ConnectionState"]


@aws_call("events:UpdateConnection")
def update_connection(
    events: Any,
    name: str,
    description: str,
    authorization: Authorization | None,
    http: HttpParameters | None,
    kms_key: str | None,
) -> tuple[str, str]:
    """Write the description and what is not None. Return ARN and state. An empty ``kms_key`` selects the key of AWS."""
    answer = events.update_connection(Name=name, **_settings(description, authorization, http, kms_key))
    return answer["ConnectionArn"], answer["ConnectionState"]


@aws_call("events:DeleteConnection", expected=NOT_FOUND)
def delete_connection(events: Any, name: str) -> None:
    """Delete the connection if it exists."""
    events.delete_connection(Name=name)


def _settings(
    description: str, authorization: Authorization | None, http: HttpParameters | None, kms_key: str | None
) -> dict[str, Any]:
    settings: dict[str, Any] = {"Description": description}
    if authorization is not None:
        # AWS ignores AuthParameters without the AuthorizationType that they belong to.
        settings["AuthorizationType"] = TYPES[authorization.kind]
        settings["AuthParameters"] = _auth_parameters(authorization)
        if http is not None:
            settings["AuthParameters"]["InvocationHttpParameters"] = _http_parameters(http)
    if kms_key is not None:
        settings["KmsKeyIdentifier"] = kms_key
    return settings


def _auth_parameters(authorization: Authorization) -> dict[str, Any]:
    identity, secret = authorization.identity, authorization.secret
    if authorization.kind == API_KEY:
        return {"ApiKeyAuthParameters": {"ApiKeyName": identity, "ApiKeyValue": secret}}
    if authorization.kind == BASIC:
        return {"BasicAuthParameters": {"Username": identity, "Password": secret}}
    oauth: dict[str, Any] = {
        "ClientParameters": {"ClientID": identity, "ClientSecret": secret},
        "AuthorizationEndpoint": authorization.endpoint,
        "HttpMethod": authorization.method,
    }
    if authorization.http is not None:
        oauth["OAuthHttpParameters"] = _http_parameters(authorization.http)
    return {"OAuthParameters": oauth}


def _http_parameters(http: HttpParameters) -> dict[str, Any]:
    """Return all lists, including empty ones, because AWS keeps a list that the request omits."""
    return {
        _LISTS[place]: [{"Key": each.key, "Value": each.value, "IsValueSecret": each.secret} for each in many]
        for place, many in http.places()
    }


def _connection(answer: Mapping[str, Any]) -> Connection:
    told = answer.get("AuthParameters") or {}
    return Connection(
        name=answer["Name"],
        arn=answer["ConnectionArn"],
        state=answer["ConnectionState"],
        reason=answer.get("StateReason") or "",
        description=answer.get("Description") or "",
        authorization=_authorization(answer.get("AuthorizationType") or "", told),
        http=_read_http(told.get("InvocationHttpParameters")),
        kms_key=answer.get("KmsKeyIdentifier") or "",
        secret_arn=answer.get("SecretArn"),
    )


def _authorization(name: str, told: Mapping[str, Any]) -> Authorization | None:
    kind = _KINDS.get(name)
    if kind == API_KEY:
        return Authorization(kind, (told.get("ApiKeyAuthParameters") or {}).get("ApiKeyName", ""))
    if kind == BASIC:
        return Authorization(kind, (told.get("BasicAuthParameters") or {}).get("Username", ""))
    if kind == OAUTH:
        oauth = told.get("OAuthParameters") or {}
        return Authorization(
            kind,
            (oauth.get("ClientParameters") or {}).get("ClientID", ""),
            endpoint=oauth.get("AuthorizationEndpoint"),
            method=oauth.get("HttpMethod"),
            http=_read_http(oauth.get("OAuthHttpParameters")),
        )
    return None


def _read_http(told: Mapping[str, Any] | None) -> HttpParameters:
    return HttpParameters(
        *(tuple(_parameter(each) for each in (told or {}).get(boto) or ()) for boto in _LISTS.values())
    )


def _parameter(told: Mapping[str, Any]) -> Parameter:
    secret = bool(told.get("IsValueSecret"))
    return Parameter(told.get("Key") or "", secret, None if secret else told.get("Value"))
