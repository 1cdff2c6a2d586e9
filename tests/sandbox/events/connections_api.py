# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations on EventBridge connections. Moto answers none of them, because its answers would leak the secrets."""

from __future__ import annotations

import uuid
from typing import Any

from ..account import NUMBER, Account
from ..model.state import SandboxError
from ..request_check import check
from ..wire import Call
from . import oauth
from .connections import KINDS, Connection, drop_secret, find, keep_secret, merged
from .pages import page


def create(account: Account, call: Call) -> dict[str, Any]:
    check("events", "CreateConnection", call.parameters)
    asked = dict(call.parameters)
    with account.lock:
        if find(account, call.region, asked["Name"]):
            raise SandboxError("ResourceAlreadyExistsException", f"Connection {asked['Name']} already exists.")
        check_parameters(asked["AuthorizationType"], asked["AuthParameters"])
        connection = Connection(
            asked["Name"],
            f"arn:aws:events:{call.region}:{NUMBER}:connection/{asked['Name']}/{uuid.uuid4()}",
            asked["AuthorizationType"],
            asked["AuthParameters"],
            asked.get("Description"),
            asked.get("KmsKeyIdentifier"),
            asked.get("InvocationConnectivityParameters"),
        )
        keep_secret(connection, call.region)
        account.connections[call.region, connection.name] = connection
    begin(account, connection, "CREATING")
    return answer(connection)


def update(account: Account, call: Call) -> dict[str, Any]:
    check("events", "UpdateConnection", call.parameters)
    asked = call.parameters
    with account.lock:
        connection = need(account, call, "update")
        authorization = asked.get("AuthorizationType") or connection.authorization
        parameters = connection.parameters
        if authorization != connection.authorization:  # parameters of another authorization type are useless
            parameters = {name: each for name, each in parameters.items() if name not in KINDS.values()}
        parameters = merged(parameters, asked.get("AuthParameters") or {})
        check_parameters(authorization, parameters)
        connection.authorization, connection.parameters = authorization, parameters
        connection.description = asked.get("Description", connection.description)
        connection.key = asked.get("KmsKeyIdentifier", connection.key)
        connection.private = asked.get("InvocationConnectivityParameters", connection.private)
        connection.token = None
        keep_secret(connection, call.region)
    begin(account, connection, "UPDATING")
    return {**answer(connection), "LastAuthorizedTime": connection.authorized or connection.modified}


def begin(account: Account, connection: Connection, state: str) -> None:
    """Begin to authorize a connection. It becomes DEAUTHORIZED if its OAuth request fails or a fault strikes."""
    connection.reason = oauth.authorize(account, connection)
    if account.strike("connection_fails", {"target": connection.name, "arn": connection.arn}):
        connection.reason = "a fault of the sandbox"
    following = "DEAUTHORIZED" if connection.reason else "AUTHORIZED"
    state = "AUTHORIZING" if connection.authorization == "OAUTH_CLIENT_CREDENTIALS" else state
    connection.pass_to(state, following, account.own.connection / account.speed)


def answer(connection: Connection) -> dict[str, Any]:
    return {name: each for name, each in connection.short().items() if name != "LastAuthorizedTime"}


def describe(account: Account, call: Call) -> dict[str, Any]:
    check("events", "DescribeConnection", call.parameters)
    with account.lock:
        return need(account, call, "describe").described()


def delete(account: Account, call: Call) -> dict[str, Any]:
    check("events", "DeleteConnection", call.parameters)
    with account.lock:
        connection = need(account, call, "delete")
        drop_secret(connection, call.region)
        connection.pass_to("DELETING", "", account.own.connection / account.speed)
        return connection.short()


def deauthorize(account: Account, call: Call) -> dict[str, Any]:
    check("events", "DeauthorizeConnection", call.parameters)
    with account.lock:
        connection = need(account, call, "deauthorize")
        drop_secret(connection, call.region)
        connection.parameters, connection.token = {}, None
        connection.pass_to("DEAUTHORIZING", "DEAUTHORIZED", account.own.connection / account.speed)
        return connection.short()


def list_all(account: Account, call: Call) -> dict[str, Any]:
    check("events", "ListConnections", call.parameters)
    prefix, state = call.parameters.get("NamePrefix") or "", call.parameters.get("ConnectionState")
    with account.lock:
        names = [
            name for region, name in list(account.connections) if region == call.region and name.startswith(prefix)
        ]
        found = [connection.listed() for name in names if (connection := find(account, call.region, name))]
    return page(call, "Connections", [each for each in found if state in (None, each["ConnectionState"])])


def need(account: Account, call: Call, verb: str) -> Connection:
    name = call.parameters["Name"]
    connection = find(account, call.region, name)
    if connection is None:
        text = f"Failed to {verb} the connection(s). Connection '{name}' does not exist."
        raise SandboxError("ResourceNotFoundException", text)
    return connection


def check_parameters(authorization: str, parameters: dict[str, Any]) -> None:
    """Check that the authorization type's parameters are complete and that OAuth's endpoint is an HTTPS URL."""
    wanted = KINDS[authorization]
    others = [each for each in KINDS.values() if each != wanted and each in parameters]
    if wanted not in parameters or others:
        text = f"Authorization type {authorization} requires {wanted} in AuthParameters"
        raise SandboxError("ValidationException", f"{text}, and not {', '.join(others)}." if others else f"{text}.")
    check("events", "CreateConnection", {
        "Name": "x", "AuthorizationType": authorization, "AuthParameters": parameters,
    })  # fmt: skip
    endpoint = parameters[wanted].get("AuthorizationEndpoint")
    if endpoint and not endpoint.startswith("https://"):
        text = "Parameter AuthorizationEndpoint is not valid. Reason: the endpoint has to be an HTTPS URL."
        raise SandboxError("ValidationException", text)


OPERATIONS = {
    "CreateConnection": create,
    "UpdateConnection": update,
    "DescribeConnection": describe,
    "DeleteConnection": delete,
    "DeauthorizeConnection": deauthorize,
    "ListConnections": list_all,
}
