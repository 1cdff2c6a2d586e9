# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""API destinations of EventBridge: each function makes one call.

Every function takes the boto3 client first and may raise ``CallFailed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import ALREADY_EXISTS, NOT_FOUND, aws_call
from ..._core.events.api_destination import USUAL_RATE, ApiDestination
from ..._core.events.https_url import shown_url
from .pages import pages


@aws_call("events:DescribeApiDestination", expected=NOT_FOUND)
def describe_api_destination(events: Any, name: str) -> ApiDestination | None:
    """Return the API destination, or None if none has that name."""
    answer = events.describe_api_destination(Name=name)
    return ApiDestination(
        name=answer["Name"],
        arn=answer["ApiDestinationArn"],
        state=answer["ApiDestinationState"],
        description=answer.get("Description") or "",
        connection_arn=answer["ConnectionArn"],
        endpoint=shown_url(answer["InvocationEndpoint"]),
        method=answer["HttpMethod"],
        rate=answer.get("InvocationRateLimitPerSecond") or USUAL_RATE,
    )


@pages("events:ListApiDestinations")
def list_users_of(events: Any, connection_arn: str, **page: str) -> Any:
    """List the names of the API destinations that use a connection."""
    answer = events.list_api_destinations(ConnectionArn=connection_arn, **page)
    return [each["Name"] for each in answer["ApiDestinations"] if each["ConnectionArn"] == connection_arn], answer


@aws_call("events:CreateApiDestination", expected=ALREADY_EXISTS)
def create_api_destination(events: Any, settings: Mapping[str, Any], endpoint: str | None) -> str | None:
    """Create an API destination from the facts that the module returns for it. Return its ARN, or None if it exists."""
    return events.create_api_destination(**_settings(settings, endpoint))["ApiDestinationArn"]


@aws_call("events:UpdateApiDestination")
def update_api_destination(events: Any, settings: Mapping[str, Any], endpoint: str | None) -> str:
    """Update an API destination from the same facts, and return its ARN. ``endpoint`` None keeps the current URL."""
    return events.update_api_destination(**_settings(settings, endpoint))["ApiDestinationArn"]


@aws_call("events:DeleteApiDestination", expected=NOT_FOUND)
def delete_api_destination(events: Any, name: str) -> None:
    """Delete the API destination if it exists."""
    events.delete_api_destination(Name=name)


def _settings(settings: Mapping[str, Any], endpoint: str | None) -> dict[str, Any]:
    return {
        "Name": settings["name"],
        "Description": settings["description"],
        "ConnectionArn": settings["connection_arn"],
        **({} if endpoint is None else {"InvocationEndpoint": endpoint}),
        "HttpMethod": settings["http_method"],
        "InvocationRateLimitPerSecond": settings["invocation_rate_limit_per_second"],
    }
