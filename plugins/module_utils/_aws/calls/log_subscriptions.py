# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Subscription filters of CloudWatch Logs: one call, one function.

Every function takes the boto3 client first and may raise ``CallFailed``.
"""

from __future__ import annotations

from typing import Any

from ..._amazon import aws_call
from ..._core.errors import CallFailed
from ..._core.log_subscription.model import Filter

_NONE = "ResourceNotFoundException"


def subscription_filters(logs: Any, log_group: str) -> list[Filter] | None:
    """All filters of a log group, of which there are few; None when there is no such log group."""
    found: list[Filter] = []
    page = None
    try:
        while True:
            some, page = list_subscription_filters(logs, log_group, page)
            found += some
            if not page:
                return found
    except CallFailed as error:
        if error.code == _NONE:
            return None
        raise


@aws_call("logs:DescribeSubscriptionFilters")
def list_subscription_filters(logs: Any, log_group: str, page: str | None = None) -> tuple[list[Filter], str | None]:
    """One page of filters, and the key to the next page, if any."""
    more = {"nextToken": page} if page else {}
    answer = logs.describe_subscription_filters(logGroupName=log_group, **more)
    filters = [
        Filter(
            name=each["filterName"],
            log_group=each.get("logGroupName", log_group),
            destination=each["destinationArn"],
            pattern=each.get("filterPattern") or "",
            role_arn=each.get("roleArn") or None,
            distribution=each.get("distribution"),
            transformed=bool(each.get("applyOnTransformedLogs")),
            created_at=each["creationTime"] / 1000 if "creationTime" in each else None,
        )
        for each in answer["subscriptionFilters"]
    ]
    return filters, answer.get("nextToken") or None


@aws_call("logs:PutSubscriptionFilter")
def put_subscription_filter(logs: Any, log_group: str, name: str, pattern: str, destination: str) -> None:
    """Make a filter, or write over the one of that name."""
    logs.put_subscription_filter(
        logGroupName=log_group, filterName=name, filterPattern=pattern, destinationArn=destination
    )


def delete_subscription_filter(logs: Any, log_group: str, name: str) -> None:
    """Remove a filter; that it is gone already does no harm."""
    try:
        _delete_subscription_filter(logs, log_group, name)
    except CallFailed as error:
        if error.code != _NONE:
            raise


@aws_call("logs:DeleteSubscriptionFilter")
def _delete_subscription_filter(logs: Any, log_group: str, name: str) -> None:
    logs.delete_subscription_filter(logGroupName=log_group, filterName=name)
