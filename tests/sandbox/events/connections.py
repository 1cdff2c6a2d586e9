# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventBridge connections: their parameters, states and descriptions, and the secret that holds their credentials.

The secret is stored in Secrets Manager under events!connection/..., as on AWS, and can be read only there.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import stored

if TYPE_CHECKING:
    from ..account import Account

KINDS = {
    "BASIC": "BasicAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}


@dataclass
class Connection:
    """A connection. At ``due`` (monotonic seconds), ``state`` becomes ``next``; a DELETING connection is then gone."""

    name: str
    arn: str
    authorization: str
    parameters: dict[str, Any]  # as CreateConnection takes them, secrets included
    description: str | None = None
    key: str | None = None
    private: Any = None  # InvocationConnectivityParameters
    state: str = "CREATING"
    next: str = "AUTHORIZED"
    reason: str | None = None
    due: float = 0.0
    secret_arn: str = ""
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    authorized: float | None = None
    token: str | None = None  # of OAuth, until the web service rejects it

    def pass_to(self, state: str, following: str, seconds: float) -> None:
        self.state, self.next, self.due = state, following, time.monotonic() + seconds
        self.modified = time.time()

    def settle(self) -> bool:
        """Change the state if that is due. Return whether the connection still exists."""
        if self.state != self.next and time.monotonic() >= self.due:
            if self.state == "DELETING":
                return False
            self.state = self.next
            self.modified = time.time()
            if self.state == "AUTHORIZED":
                self.authorized = time.time()
        return True

    def short(self) -> dict[str, Any]:
        return told({
            "ConnectionArn": self.arn,
            "ConnectionState": self.state,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "LastAuthorizedTime": self.authorized,
        })  # fmt: skip

    def listed(self) -> dict[str, Any]:
        return told({
            **self.short(),
            "Name": self.name,
            "StateReason": self.reason,
            "AuthorizationType": self.authorization,
        })  # fmt: skip

    def described(self) -> dict[str, Any]:
        return told({
            **self.listed(),
            "Description": self.description,
            "SecretArn": self.secret_arn or None,
            "KmsKeyIdentifier": self.key,
            "InvocationConnectivityParameters": self.private,
            "AuthParameters": public(self.parameters),
        })  # fmt: skip


def told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def public(value: Any) -> Any:
    """Return authorization parameters without their secrets."""
    if isinstance(value, list):
        return [public(each) for each in value]
    if not isinstance(value, dict):
        return value
    hidden = {"Password", "ApiKeyValue", "ClientSecret"} | ({"Value"} if value.get("IsValueSecret") else set())
    return {name: public(each) for name, each in value.items() if name not in hidden}


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Merge parameters as UpdateConnection does: omitted ones are kept, lists of parameters are replaced as a whole."""
    result = dict(old)
    for name, value in new.items():
        kept = result.get(name)
        deep = isinstance(value, dict) and isinstance(kept, dict) and not name.endswith("HttpParameters")
        result[name] = merged(kept, value) if deep else value
    return result


def secret_text(connection: Connection) -> str:
    given = connection.parameters.get(KINDS[connection.authorization]) or {}
    client = given.get("ClientParameters") or {}
    values = {
        "username": given.get("Username"),
        "password": given.get("Password"),
        "api_key_name": given.get("ApiKeyName"),
        "api_key_value": given.get("ApiKeyValue"),
        "client_id": client.get("ClientID"),
        "client_secret": client.get("ClientSecret"),
        "authorization_endpoint": given.get("AuthorizationEndpoint"),
        "http_method": given.get("HttpMethod"),
        "oauth_http_parameters": given.get("OAuthHttpParameters"),
        "invocation_http_parameters": connection.parameters.get("InvocationHttpParameters"),
    }
    return json.dumps(told(values))


def keep_secret(connection: Connection, region: str) -> None:
    manager = stored.backend("secretsmanager", region)
    if connection.secret_arn:  # a new version of the same one
        manager.put_secret_value(
            connection.secret_arn, secret_text(connection), None, str(uuid.uuid4()), ["AWSCURRENT"]
        )
        return
    secret = manager.create_managed_secret(
        service_name="events",
        secret_id=f"events!connection/{connection.name}/{uuid.uuid4()}",
        secret_string=secret_text(connection),
        description=f"Auth parameters for Eventbridge connection {connection.name}",
    )
    connection.secret_arn = secret.arn


def drop_secret(connection: Connection, region: str) -> None:
    if connection.secret_arn:
        stored.backend("secretsmanager", region).delete_secret(
            secret_id=connection.secret_arn, recovery_window_in_days=None, force_delete_without_recovery=True
        )
    connection.secret_arn = ""


def find(account: Account, region: str, name: str) -> Connection | None:
    """Return a connection in its current state, or None."""
    connection = account.connections.get((region, name))
    if connection and not connection.settle():
        del account.connections[region, name]
        return None
    return connection


def find_arn(account: Account, arn: str) -> Connection | None:
    found = find(account, stored.region_of(arn), arn.split("/")[1])
    return found if found and found.arn == arn else None
