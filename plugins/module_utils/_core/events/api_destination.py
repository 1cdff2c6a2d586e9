# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""API destinations of EventBridge: the URL of a web service, and how often it may be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..change import Change
from ..errors import Refused
from ..names import CONNECTION, EVENTS_NAME, read_name, read_name_or_arn
from ..waiting import Patience, read_patience
from .connection.read import read_description
from .https_url import check_https_url, out_of_reach, secret_in_url, shown_url

METHODS = ("POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
ACTIVE = "ACTIVE"
USUAL_RATE = 300  # per second; AWS's default


@dataclass(frozen=True)
class ApiDestination:
    """An API destination as AWS describes it. ``endpoint`` has the form that ``shown_url`` returns."""

    name: str
    arn: str
    state: str
    description: str
    connection_arn: str
    endpoint: str
    method: str
    rate: int


@dataclass(frozen=True)
class WantedApiDestination:
    """An API destination as the user wants it. None keeps the current value. ``connection`` is a name or an ARN."""

    name: str
    present: bool
    description: str | None
    connection: str | None
    endpoint: str | None
    method: str | None
    rate: int | None
    warnings: tuple[str, ...]
    patience: Patience


def read_api_destination(params: Mapping[str, Any]) -> WantedApiDestination:
    """Return what the user wants. Raise ``Refused`` for values that EventBridge would not accept."""
    name = read_name("name", params["name"], EVENTS_NAME)
    endpoint, warnings = params["invocation_endpoint"], []
    if endpoint is not None:
        parts = check_https_url("invocation_endpoint", endpoint)
        if words := secret_in_url(parts):
            warnings.append(f"invocation_endpoint of {name}: {words}")
        if out_of_reach(parts):
            warnings.append(
                f"invocation_endpoint of {name}: EventBridge calls API destinations over the Internet, which cannot"
                " reach this host"
            )
    rate = params["invocation_rate_limit_per_second"]
    if rate is not None and rate < 1:
        raise Refused(f"invocation_rate_limit_per_second must be a number from 1 (got {rate})")
    connection = params["connection"]
    if connection is not None:
        connection_name(connection)
    return WantedApiDestination(
        name=name,
        present=params["state"] == "present",
        description=read_description(params["description"]),
        connection=connection,
        endpoint=endpoint,
        method=params["http_method"],
        rate=rate,
        warnings=tuple(warnings) if params["state"] == "present" else (),
        patience=read_patience(params),
    )


def connection_name(text: str) -> str:
    """Return the name of a connection that is given by name or ARN. Raises ``Refused``."""
    return read_name_or_arn("connection", text, EVENTS_NAME, CONNECTION)[0]


def connection_to_look_up(wanted: WantedApiDestination, current: ApiDestination | None) -> str | None:
    """Return the name of the connection whose ARN must be looked up; None if the ARN is known or not needed.

    The ARN changes when a connection is created again under its name; the API destination is then no longer active.
    """
    if not wanted.present or wanted.connection is None or wanted.connection.startswith("arn:"):
        return None
    if current and current.state == ACTIVE and connection_name(current.connection_arn) == wanted.connection:
        return None
    return wanted.connection


def plan_api_destination(
    wanted: WantedApiDestination, current: ApiDestination | None, connection_arn: str | None
) -> Change:
    """Return both sides, as the module returns them. Raises ``Refused``.

    ``connection_arn`` is the ARN of ``connection_to_look_up``. If that connection does not exist, the ARN is None, here
    and in ``after``: in check mode, the connection may be one that a real run would create first.
    """
    before = None if current is None else api_destination_facts(current)
    if not wanted.present:
        return Change(before, None)
    if before is None:
        for option, value in (("connection", wanted.connection), ("invocation_endpoint", wanted.endpoint)):
            if value is None:
                raise Refused(f"The API destination {wanted.name} does not exist. Set {option} to create it")
    usual = {"description": "", "http_method": "POST", "invocation_rate_limit_per_second": USUAL_RATE}
    given = {
        "description": wanted.description,
        "invocation_endpoint": wanted.endpoint and shown_url(wanted.endpoint),
        "http_method": wanted.method,
        "invocation_rate_limit_per_second": wanted.rate,
    }
    after: dict[str, Any] = {"arn": None, "name": wanted.name, "state": None, **usual, **(before or {})}
    after |= {key: value for key, value in given.items() if value is not None}
    if wanted.connection is not None and wanted.connection.startswith("arn:"):
        after |= {"connection": connection_name(wanted.connection), "connection_arn": wanted.connection}
    elif connection_to_look_up(wanted, current):
        after |= {"connection": wanted.connection, "connection_arn": connection_arn}
    return Change(before, after)


def api_destination_facts(destination: ApiDestination) -> dict[str, Any]:
    """Return the API destination as the module returns it."""
    return {
        "arn": destination.arn,
        "name": destination.name,
        "state": destination.state,
        "description": destination.description,
        "connection": connection_name(destination.connection_arn),
        "connection_arn": destination.connection_arn,
        "invocation_endpoint": destination.endpoint,
        "http_method": destination.method,
        "invocation_rate_limit_per_second": destination.rate,
    }


def warnings_of(wanted: WantedApiDestination, current: ApiDestination | None, change: Change) -> list[str]:
    """Return warnings about problems that the module does not fix."""
    found = list(wanted.warnings)
    if change.after and change.after["connection_arn"] is None:
        found.append(f"API destination {wanted.name}: the connection {change.after['connection']} does not exist")
    if current and wanted.present and current.state != ACTIVE and not change.changed:
        found.append(
            f"API destination {current.name} is {current.state}: EventBridge delivers nothing to it. See the state of "
            f"the connection {connection_name(current.connection_arn)}"
        )
    return found
