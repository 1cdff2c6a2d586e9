# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API destinations and the operations on them."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from ..account import NUMBER, Account
from ..model.state import SandboxError
from ..request_check import check
from ..wire import Call
from .connections import find_arn, told
from .pages import page


@dataclass
class ApiDestination:
    name: str
    arn: str
    connection_arn: str
    endpoint: str
    method: str
    rate: int = 300
    description: str | None = None
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)

    def short(self, account: Account) -> dict[str, Any]:
        connection = find_arn(account, self.connection_arn)
        return {
            "ApiDestinationArn": self.arn,
            "ApiDestinationState": "ACTIVE" if connection and connection.state == "AUTHORIZED" else "INACTIVE",
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }

    def listed(self, account: Account) -> dict[str, Any]:
        return {
            **self.short(account),
            "Name": self.name,
            "ConnectionArn": self.connection_arn,
            "InvocationEndpoint": self.endpoint,
            "HttpMethod": self.method,
            "InvocationRateLimitPerSecond": self.rate,
        }


def create(account: Account, call: Call) -> dict[str, Any]:
    check("events", "CreateApiDestination", call.parameters)
    asked = call.parameters
    with account.lock:
        if (call.region, asked["Name"]) in account.api_destinations:
            text = f"An api-destination '{asked['Name']}' already exists."
            raise SandboxError("ResourceAlreadyExistsException", text)
        check_reachable(account, asked)
        destination = ApiDestination(
            asked["Name"],
            f"arn:aws:events:{call.region}:{NUMBER}:api-destination/{asked['Name']}/{uuid.uuid4()}",
            asked["ConnectionArn"],
            asked["InvocationEndpoint"],
            asked["HttpMethod"],
            asked.get("InvocationRateLimitPerSecond") or 300,
            asked.get("Description"),
        )
        account.api_destinations[call.region, destination.name] = destination
        return destination.short(account)


def update(account: Account, call: Call) -> dict[str, Any]:
    """Update an API destination. Parameters that are omitted keep their values."""
    check("events", "UpdateApiDestination", call.parameters)
    asked = call.parameters
    with account.lock:
        destination = need(account, call, "update")
        check_reachable(account, asked)
        destination.connection_arn = asked.get("ConnectionArn") or destination.connection_arn
        destination.endpoint = asked.get("InvocationEndpoint") or destination.endpoint
        destination.method = asked.get("HttpMethod") or destination.method
        destination.rate = asked.get("InvocationRateLimitPerSecond") or destination.rate
        destination.description = asked.get("Description", destination.description)
        destination.modified = time.time()
        return destination.short(account)


def describe(account: Account, call: Call) -> dict[str, Any]:
    check("events", "DescribeApiDestination", call.parameters)
    with account.lock:
        destination = need(account, call, "describe")
        return told({**destination.listed(account), "Description": destination.description})


def delete(account: Account, call: Call) -> dict[str, Any]:
    check("events", "DeleteApiDestination", call.parameters)
    with account.lock:
        need(account, call, "delete")
        del account.api_destinations[call.region, call.parameters["Name"]]
    return {}


def list_all(account: Account, call: Call) -> dict[str, Any]:
    check("events", "ListApiDestinations", call.parameters)
    prefix, connection = call.parameters.get("NamePrefix") or "", call.parameters.get("ConnectionArn")
    with account.lock:
        found = [
            destination.listed(account)
            for (region, name), destination in account.api_destinations.items()
            if region == call.region and name.startswith(prefix) and connection in (None, destination.connection_arn)
        ]
    return page(call, "ApiDestinations", found)


def need(account: Account, call: Call, verb: str) -> ApiDestination:
    found: ApiDestination | None = account.api_destinations.get((call.region, call.parameters["Name"]))
    if found is None:
        name = call.parameters["Name"]
        text = f"Failed to {verb} the api-destination(s). An api-destination '{name}' does not exist."
        raise SandboxError("ResourceNotFoundException", text)
    return found


def check_reachable(account: Account, asked: Any) -> None:
    arn, endpoint = asked.get("ConnectionArn"), asked.get("InvocationEndpoint")
    if arn and find_arn(account, arn) is None:
        raise SandboxError("ResourceNotFoundException", f"Connection '{arn.split('/')[1]}' does not exist.")
    if endpoint and not endpoint.startswith("https://"):
        text = "Parameter InvocationEndpoint is not valid. Reason: the endpoint has to be an HTTPS URL."
        raise SandboxError("ValidationException", text)


OPERATIONS = {
    "CreateApiDestination": create,
    "UpdateApiDestination": update,
    "DescribeApiDestination": describe,
    "DeleteApiDestination": delete,
    "ListApiDestinations": list_all,
}
