# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""EventBridge's API destinations: one call, one function.

Every function takes the boto3 client first and may raise ``CallFailed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from ..._core.errors import CallFailed
from ..._core.events.api_destination import USUAL_RATE, ApiDestination


def describe_api_destination(events: Any, name: str) -> ApiDestination | None:
    """The API destination; None when there is none of that name."""
    try:
        return _describe_api_destination(events, name)
    except CallFailed as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise


@aws_call("events:DescribeApiDestination")
def _describe_api_destination(events: Any, name: str) -> ApiDestination:
    answer = events.describe_api_destination(Name=name)
    return ApiDestination(
        name=answer["Name"],
        arn=answer["ApiDestinationArn"],
        state=answer["ApiDestinationState"],
        description=answer.get("Description") or "",
        connection_arn=answer["ConnectionArn"],
        endpoint=answer["InvocationEndpoint"],
        method=answer["HttpMethod"],
        rate=answer.get("InvocationRateLimitPerSecond") or USUAL_RATE,
    )


@aws_call("events:ListApiDestinations")
def list_users_of(events: Any, connection_arn: str, page: str | None = None) -> tuple[list[str], str | None]:
    """One page of names of the API destinations that use a connection, and the key to the next page, if any."""
    more = {"NextToken": page} if page else {}
    answer = events.list_api_destinations(ConnectionArn=connection_arn, **more)
    names = [each["Name"] for each in answer["ApiDestinations"] if each["ConnectionArn"] == connection_arn]
    return names, answer.get("NextToken") or None


@aws_call("events:CreateApiDestination")
def create_api_destination(events: Any, settings: Mapping[str, Any]) -> str:
    """Make an API destination, from what the module returns for it; its ARN.

    Done twice, AWS answers ``ResourceAlreadyExistsException``.
    """
    return events.create_api_destination(**_settings(settings))["ApiDestinationArn"]


@aws_call("events:UpdateApiDestination")
def update_api_destination(events: Any, settings: Mapping[str, Any]) -> str:
    """Write all of an API destination, from what the module returns for it; its ARN."""
    return events.update_api_destination(**_settings(settings))["ApiDestinationArn"]


def delete_api_destination(events: Any, name: str) -> None:
    """Delete the API destination; that it is gone already does no harm."""
    try:
        _delete_api_destination(events, name)
    except CallFailed as error:
        if error.code != "ResourceNotFoundException":
            raise


@aws_call("events:DeleteApiDestination")
def _delete_api_destination(events: Any, name: str) -> None:
    events.delete_api_destination(Name=name)


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": settings["name"],
        "Description": settings["description"],
        "ConnectionArn": settings["connection_arn"],
        "InvocationEndpoint": settings["invocation_endpoint"],
        "HttpMethod": settings["http_method"],
        "InvocationRateLimitPerSecond": settings["invocation_rate_limit_per_second"],
    }
